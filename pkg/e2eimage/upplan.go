package e2eimage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// plan is what a dry run of Up answers. What would be built or loaded decides all that
// follows, so that of those images only the steps are said.
func (r *upRun) plan(ctx context.Context) error {
	target := r.target(ctx)
	if target != nil {
		defer target.place.Close()
	}
	var mistakes []error
	for _, image := range r.inBuildOrder() {
		comes, err := r.planOne(ctx, target, image)
		if err != nil {
			mistakes = append(mistakes, &imageError{image.Name, err})
		}
		if comes {
			r.fresh = append(r.fresh, image)
		}
	}
	if target == nil {
		mistakes = append(mistakes, r.missing)
	}
	if err := errors.Join(mistakes...); err != nil {
		return err
	}
	r.fresh = inOrder(r.in.Suite.Images, r.fresh)
	suite := r.in.Suite
	suite.Consumer = target.consumer
	suite.Images = slices.DeleteFunc(slices.Clone(suite.Images), r.isFresh)
	if len(recordedNames(suite)) > 0 {
		known, err := r.client.refOfCluster(ctx, RefInput{Suite: suite})
		if err != nil {
			return err
		}
		r.result.Images = append(r.result.Images, known.Images...)
	}
	names := recordedNames(r.in.Suite)
	slices.SortFunc(r.result.Images, func(a, b Ref) int {
		return slices.Index(names, a.Name) - slices.Index(names, b.Name)
	})
	return r.planDeploy(ctx, target, suite)
}

// inBuildOrder are the images with those first that others are built on.
func (r *upRun) inBuildOrder() []config.Image {
	if r.build == nil {
		return r.in.Suite.Images
	}
	return r.build.order.sorted(r.in.Suite.Images)
}

// planOne tells whether an image would come.
func (r *upRun) planOne(ctx context.Context, target *target, image config.Image) (comes bool, err error) {
	if r.builds(image) {
		var one *BuiltImage
		err := r.build.order.after(ctx, image.Name, func() (bool, error) {
			var err error
			one, err = r.build.one(ctx, image)
			return err == nil && one.Changed, err
		})
		if err != nil {
			return false, err
		}
		if one.Changed {
			r.result.Built = append(r.result.Built, *one)
			r.client.report.Info(fmt.Sprintf("%s: would then be loaded, and tagged as %s unless its content has a tag already",
				image.Name, one.Planned))
			return true, nil
		}
	}
	if target == nil || image.HostOnly {
		return false, nil
	}
	if image.External == "" {
		if is, err := r.recorded(ctx, target, image); err != nil || is {
			return false, err
		}
	}
	in := LoadInput{Suite: r.in.Suite, DryRun: true}
	in.Suite.Images = []config.Image{image}
	loaded, err := r.client.loadInto(ctx, in, target, nil)
	if err != nil {
		return false, err
	}
	r.result.Loaded = append(r.result.Loaded, loaded.Images...)
	if image.External != "" {
		return false, nil
	}
	drawn, err := r.drawn(ctx, target, image)
	if err != nil {
		return false, err
	}
	r.client.report.Info(fmt.Sprintf("%s: would then be tagged as %s unless its content has a tag already",
		image.Name, drawn))
	return true, nil
}

// drawn is the recorded image that a real run would draw.
func (r *upRun) drawn(ctx context.Context, target *target, image config.Image) (string, error) {
	records, err := target.kube.records.Get(ctx, target.kube.namespace, target.consumer)
	if err != nil {
		return "", err
	}
	values := inDryRun(true, r.in.Values)
	shared, err := groupTag(r.in.Suite, target.consumer, values, false, membersIn(target.lock, records))
	if err != nil {
		return "", err
	}
	tag := cmp.Or(image.Tag, shared)
	if tag == "" {
		if tag, err = drawTag(image, target.consumer, values); err != nil {
			return "", err
		}
	}
	return planned(cmp.Or(image.Repository, config.DefaultRepository(image.Name)) + ":" + tag), nil
}

// planDeploy says what would be deployed of what is recorded, and names the rest.
func (r *upRun) planDeploy(ctx context.Context, target *target, suite config.Suite) error {
	if len(r.fresh) > 0 && len(r.in.Manifests) > 0 {
		r.client.report.Info("the manifests would then be applied")
		return nil
	}
	for _, image := range r.fresh {
		if len(image.Deploy.Workloads) > 0 {
			r.client.report.Info(fmt.Sprintf("%s: would then be deployed to %s", image.Name,
				strings.Join(image.Deploy.Workloads, ", ")))
		}
	}
	return r.deploy(ctx, target, suite)
}

func (r *upRun) isFresh(image config.Image) bool {
	return slices.ContainsFunc(r.fresh, func(one config.Image) bool { return one.Name == image.Name })
}

// inOrder are the chosen images in the order of all.
func inOrder(all, chosen []config.Image) []config.Image {
	return slices.DeleteFunc(slices.Clone(all), func(image config.Image) bool {
		return !slices.ContainsFunc(chosen, func(one config.Image) bool { return one.Name == image.Name })
	})
}
