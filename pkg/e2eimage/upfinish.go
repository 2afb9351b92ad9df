package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// stopped says what is missing, and what was done all the same.
func (r *upRun) stopped(err error) error {
	missing := r.missing
	var built []string
	for _, image := range r.result.Built {
		built = append(built, image.Image)
	}
	if err == nil && len(built) > 0 {
		missing = fmt.Errorf("%w\n%s: built. When the cluster is there: %s", missing, strings.Join(built, ", "),
			typed("up", asked(r.in.Suite), r.in.Suite))
	}
	return errors.Join(err, missing)
}

// finish tags what is new, and deploys.
func (r *upRun) finish(ctx context.Context, target *target) error {
	if len(r.fresh) > 0 {
		in := TagInput{
			Suite: r.in.Suite, Values: r.in.Values, Use: r.in.Use, AllowStale: r.in.AllowStale,
			CreateNamespace: r.in.CreateNamespace,
		}
		in.Suite.Images = inOrder(r.in.Suite.Images, r.fresh)
		if err := target.lock.reread(); err != nil {
			return err
		}
		tagged, err := r.client.tagIn(ctx, in, target)
		if err != nil {
			return err
		}
		r.result.Tagged = tagged.Images
	}
	suite, err := inCluster(r.in.Suite)
	if err != nil {
		return err
	}
	suite.Consumer = target.consumer
	images, err := r.client.refOfCluster(ctx, RefInput{Suite: suite})
	if err != nil {
		return err
	}
	r.result.Images, r.result.recorded = images.Images, images
	return r.deploy(ctx, target, suite)
}

func (r *upRun) deploy(ctx context.Context, target *target, suite config.Suite) error {
	suite.Images = slices.DeleteFunc(slices.Clone(suite.Images), func(image config.Image) bool {
		return image.External != "" || len(image.Deploy.Workloads) == 0 && len(r.in.Manifests) == 0
	})
	if len(suite.Images) == 0 {
		return nil
	}
	in := DeployInput{
		Suite: suite, Use: r.in.Use, AllowStale: r.in.AllowStale, TakeOver: r.in.TakeOver,
		Replace: r.in.Replace, Manifests: r.in.Manifests, OneNamespace: r.in.OneNamespace,
		ForceConflicts: r.in.ForceConflicts,
	}
	suffix := ""
	if r.in.DryRun {
		in.DryRun, suffix = DryRunClient, " (dry run)"
	}
	in.Changed = func(one DeployedWorkload) { r.client.report.Info(one.Name + " " + one.Action + suffix) }
	deploying, err := r.client.deployRecorded(ctx, in, target.kube)
	if err != nil {
		return err
	}
	deploying.place, deploying.freshBuilt = target.place, r.build != nil
	r.result.Deployed, err = deploying.carryOut(ctx)
	return err
}
