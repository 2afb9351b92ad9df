package e2eimage

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/freshness"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// unchanged tells whether building the image again would make the same: its files, its
// settings and the images that it is built on are those of the last build, and the engine
// still has that. A command of the user's own is always run: only it knows what it
// depends on.
func (r *buildRun) unchanged(ctx context.Context, image config.Image) bool {
	entry := r.lock.entry(image, r.in.Suite.Prebuilt)
	if entry == nil || entry.Via != lock.ViaBuild || entry.Tree == nil || !r.lock.local ||
		image.Build == nil || len(image.Build.Command) > 0 || image.Build.NoCache || image.Tag != "" || r.in.New ||
		!underRepository(image, entry.Image) {
		return false
	}
	if prebuilt, err := prebuiltOf(image, r.in.Suite.Prebuilt); err != nil || prebuilt != "" {
		return false
	}
	there := make(chan bool, 1)
	go func() {
		found, err := engine.Find(ctx, r.client.runner, entry.Engine, entry.Image)
		there <- err == nil && found.EngineID == entry.EngineID
	}()
	same := r.sameInputs(ctx, image, entry)
	if !<-there || !same {
		return false
	}
	r.client.report.Info(fmt.Sprintf("%s: nothing changed since it was built %s", image.Name, ago(entry.Built)))
	return true
}

// sameInputs tells whether all that the image's build depends on is as it was. What
// cannot be known is not.
func (r *buildRun) sameInputs(ctx context.Context, image config.Image, entry *lock.Entry) bool {
	if r.in.Suite.Engine != "" && r.in.Suite.Engine != entry.Engine {
		return false
	}
	asBefore := *r
	asBefore.in.Suite.Engine = entry.Engine
	values, err := asBefore.values(image)
	if err != nil {
		return false
	}
	spec, err := asBefore.spec(ctx, image, values)
	if err != nil {
		return false
	}
	if now, err := settings(spec, image, entry.Tree.Salt); err != nil || now != entry.Tree.Settings {
		return false
	}
	in := r.client.inputs(ctx, image, spec)
	if in.Unknown != "" {
		r.client.report.Info(fmt.Sprintf("%s: built each time, since %s", image.Name, in.Unknown))
		return false
	}
	bases, err := r.client.baseIDs(ctx, entry.Engine, in.Bases)
	if err != nil || !maps.Equal(bases, entry.Tree.Bases) {
		return false
	}
	is, err := changed(ctx, in.Tree, entry.Tree)
	return err == nil && !is
}

// recorded tells whether the cluster's record is what the lock pins, so that
// neither loading nor tagging would change anything. Nodes that lost the image are
// healed by the deployment.
func (r *upRun) recorded(ctx context.Context, target *target, image config.Image) (bool, error) {
	entry := target.lock.entry(image, r.in.Suite.Prebuilt)
	if !entry.Pinned() || entry.Tagged == nil || image.Tag != "" && !tagged(entry.Image, image.Tag) {
		return false, nil
	}
	set, err := target.kube.records.Get(ctx, target.kube.namespace, target.consumer)
	if err != nil {
		return false, err
	}
	evidence, err := set.Entry(image.Name)
	if err != nil {
		return false, err
	}
	if evidence == nil || evidence.State != record.Ready || evidence.Image != entry.Image ||
		evidence.ImageID != entry.ImageID {
		return false, nil
	}
	k := compared(image, entry, evidence)
	if entry.Built == nil {
		if err := r.client.compare(ctx, r.client.newFinder(), r.in.Suite, target.lock, []*comparison{k}); err != nil {
			return false, err
		}
	}
	finding := k.judge(r.in.Suite, nil)
	if finding.Relation != freshness.Same && finding.Relation != freshness.Unknown {
		return false, nil
	}
	r.client.unknown(ctx, k, finding)
	r.client.report.Info(fmt.Sprintf("%s: recorded already as %s, nothing to load or tag", image.Name, entry.Image))
	return true, nil
}

func tagged(image, tag string) bool {
	return len(image) > len(tag) && image[len(image)-len(tag)-1:] == ":"+tag
}

// buildable tells whether anything of the suite can be built or adopted.
func buildable(suite config.Suite) bool {
	return slices.ContainsFunc(suite.Images, canBuild)
}

func canBuild(image config.Image) bool {
	return image.External == "" && (image.Build != nil || image.Prebuilt != "")
}
