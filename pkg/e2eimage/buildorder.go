package e2eimage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/buildtree"
)

// buildOrder lets images wait for those of the same run that they are built on. A nil one
// lets nothing wait.
type buildOrder struct {
	// on are the images that each is built on, by name.
	on map[string][]string
	// done is closed when an image was built, or was not.
	done map[string]chan struct{}

	mu sync.Mutex
	// failed and changed are how that ended.
	failed, changed map[string]bool
}

// newOrder finds out which of the images are built on others, by their Dockerfiles.
// Errors: *UsageError where they are so in a circle.
func (r *buildRun) newOrder(ctx context.Context, images []config.Image) (*buildOrder, error) {
	needed, all := map[string][]string{}, map[string][]string{}
	for _, image := range images {
		by, in := r.basesOf(ctx, image)
		for _, other := range images {
			names := r.namesOf(other)
			isOther := func(base string) bool { return other.Name != image.Name && isNamed(by, base, names) }
			if slices.ContainsFunc(in.Bases, isOther) {
				needed[image.Name] = append(needed[image.Name], other.Name)
			}
			if slices.ContainsFunc(slices.Concat(in.Bases, in.Others), isOther) {
				all[image.Name] = append(all[image.Name], other.Name)
			}
		}
	}
	on := all
	if circle(on) != nil {
		// Engines that build only what is needed can build them all the same.
		on = needed
	}
	if names := circle(on); names != nil {
		var pairs []string
		for i := range names[1:] {
			pairs = append(pairs, names[i]+" is built on "+names[i+1])
		}
		return nil, &UsageError{
			fmt.Errorf("these images are built on one another: %s; check FROM, COPY --from and RUN --mount in their Dockerfiles",
				strings.Join(pairs, ", ")),
		}
	}
	o := &buildOrder{on: on, done: map[string]chan struct{}{}, failed: map[string]bool{}, changed: map[string]bool{}}
	for _, image := range images {
		o.done[image.Name] = make(chan struct{})
	}
	return o, nil
}

// basesOf are the images that a build is built on, and the engine that knows them; none
// where only a command knows, or the build will fail.
func (r *buildRun) basesOf(ctx context.Context, image config.Image) (by string, in buildtree.Inputs) {
	if image.Build == nil || len(image.Build.Command) > 0 {
		return "", in
	}
	values, err := r.values(image)
	if err != nil {
		return "", in
	}
	spec, err := r.spec(ctx, image, values)
	if err != nil {
		return "", in
	}
	return spec.Engine, r.client.inputs(ctx, image, spec)
}

// circle returns images that are built on each other, beginning and ending with the same,
// nil where there are none.
func circle(on map[string][]string) []string {
	var way []string
	passed := map[string]bool{}
	var visit func(name string) []string
	visit = func(name string) []string {
		if i := slices.Index(way, name); i >= 0 {
			return append(slices.Clone(way[i:]), name)
		}
		if passed[name] {
			return nil
		}
		passed[name] = true
		way = append(way, name)
		for _, base := range on[name] {
			if found := visit(base); found != nil {
				return found
			}
		}
		way = way[:len(way)-1]
		return nil
	}
	for _, name := range sortedKeys(on) {
		if found := visit(name); found != nil {
			return found
		}
	}
	return nil
}

// after does what builds an image once those are built that it is built on. It is told
// whether the image will be another.
func (o *buildOrder) after(ctx context.Context, name string, do func() (changed bool, err error)) error {
	if o == nil || o.done[name] == nil {
		_, err := do()
		return err
	}
	defer close(o.done[name])
	for _, base := range o.on[name] {
		select {
		case <-o.done[base]:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if o.is(o.failed, base) {
			o.set(o.failed, name)
			return fmt.Errorf("not built, since it is built on %s", base)
		}
	}
	changed, err := do()
	if err != nil {
		o.set(o.failed, name)
	}
	if changed {
		o.set(o.changed, name)
	}
	return err
}

// changes tells whether an image will be another since one that it is built on is.
func (o *buildOrder) changes(name string) bool {
	return o != nil && slices.ContainsFunc(o.on[name], func(base string) bool { return o.is(o.changed, base) })
}

// sorted are the images with those first that others are built on.
func (o *buildOrder) sorted(images []config.Image) []config.Image {
	if o == nil {
		return images
	}
	var sorted []config.Image
	var add func(image config.Image)
	add = func(image config.Image) {
		if slices.ContainsFunc(sorted, func(one config.Image) bool { return one.Name == image.Name }) {
			return
		}
		for _, base := range images {
			if slices.Contains(o.on[image.Name], base.Name) {
				add(base)
			}
		}
		sorted = append(sorted, image)
	}
	for _, image := range images {
		add(image)
	}
	return sorted
}

func (o *buildOrder) is(set map[string]bool, name string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return set[name]
}

func (o *buildOrder) set(set map[string]bool, name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	set[name] = true
}
