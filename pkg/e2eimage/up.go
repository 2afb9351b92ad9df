package e2eimage

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// UpInput is what Up needs.
type UpInput struct {
	Suite config.Suite
	// Values for templates of tags and build arguments, as Build and Tag have them.
	Values config.TemplateValues
	// SkipBuild takes what was built before.
	SkipBuild bool
	// Parallel bounds how many images are built at once; 0 is DefaultParallel.
	Parallel int
	// BuildTimeout bounds all builds together; 0 does not.
	BuildTimeout time.Duration
	// Use, AllowStale, TakeOver, Replace and CreateNamespace are as Tag and Deploy have them.
	Use        Use
	AllowStale bool
	TakeOver   bool
	Replace    bool
	// Manifests, OneNamespace and ForceConflicts are as Deploy has them.
	Manifests       []Manifest
	OneNamespace    bool
	ForceConflicts  bool
	CreateNamespace bool
	// DryRun decides and reports but changes nothing.
	DryRun bool
}

// UpResult is what Up did; what was true already is not in it.
type UpResult struct {
	Built  []BuiltImage  `json:"built"`
	Loaded []LoadedImage `json:"loaded"`
	Tagged []TaggedImage `json:"tagged"`
	// Images are the recorded ones, in the order of the suite.
	Images []Ref `json:"images"`
	// Deployed is nil where nothing is to be deployed.
	Deployed *DeployResult `json:"deployed,omitempty"`

	// recorded are Images, and whose they are.
	recorded *Images
}

// Up builds, loads, tags and deploys the images of the suite, and repeats nothing
// that is true already: an image whose tree has not changed is not built, one that
// is recorded is neither loaded nor tagged. An image is loaded while others are
// still being built. Without a cluster the images are built all the same.
func (c *Client) Up(ctx context.Context, in UpInput) (*UpResult, error) {
	return verb(ctx, in, c.up)
}

func (c *Client) up(ctx context.Context, in UpInput) (*UpResult, error) {
	if _, err := inCluster(in.Suite); err != nil {
		return c.upHost(ctx, in)
	}
	var err error
	if in.Suite, err = c.settle(ctx, in.Suite); err != nil {
		return nil, err
	}
	in.Values = c.commit(ctx, c.facts(ctx, in.Suite, in.Values))
	run, err := c.beginUp(ctx, in)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return run.result, run.plan(ctx)
	}
	err = run.buildAndLoad(ctx)
	target := run.target(ctx)
	if target == nil {
		return run.result, run.stopped(err)
	}
	defer target.place.Close()
	if err != nil {
		return run.result, err
	}
	// The cluster came while the last ones were built.
	for _, image := range run.waiting {
		if err := run.loaded(ctx, image); err != nil {
			return run.result, err
		}
	}
	return run.result, run.finish(ctx, target)
}

// upRun is one run of Up.
type upRun struct {
	client *Client
	in     UpInput
	build  *buildRun
	result *UpResult

	// opening guards opened, which is nil until there is a cluster.
	opening sync.Mutex
	opened  *target
	// missing is why there is none.
	missing error

	mu sync.Mutex
	// loading is held by who loads: all images go to the same nodes.
	loading sync.Mutex
	// fresh are the images that have to be tagged, waiting those for which there was
	// no cluster yet.
	fresh, waiting []config.Image
}

func (c *Client) beginUp(ctx context.Context, in UpInput) (*upRun, error) {
	run := &upRun{client: c, in: in, result: &UpResult{
		Built: []BuiltImage{}, Loaded: []LoadedImage{}, Tagged: []TaggedImage{}, Images: []Ref{},
	}}
	if err := run.check(ctx); err != nil {
		return nil, err
	}
	if err := c.checkPush(ctx, in.Suite); err != nil {
		return nil, err
	}
	if !in.SkipBuild && buildable(in.Suite) {
		var err error
		build := BuildInput{Suite: in.Suite, Values: in.Values, Parallel: in.Parallel, DryRun: in.DryRun}
		if run.build, err = c.beginBuild(ctx, build); err != nil {
			return nil, err
		}
		run.build.several = len(in.Suite.Images) > 1
		if run.build.order, err = run.build.newOrder(ctx,
			slices.DeleteFunc(slices.Clone(in.Suite.Images),
				func(image config.Image) bool { return !canBuild(image) })); err != nil {
			return nil, err
		}
	}
	// Whoever needs the target waits for this, so that it has ended when Up does.
	run.opening.Lock()
	go func() {
		defer run.opening.Unlock()
		run.opened, run.missing = c.openTarget(ctx, in.Suite)
	}()
	return run, nil
}

// target opens the cluster beside the builds. One that is not there yet may be by the
// time that the next image is built; until then it returns nil and notes why.
func (r *upRun) target(ctx context.Context) *target {
	r.opening.Lock()
	defer r.opening.Unlock()
	if r.opened == nil {
		r.opened, r.missing = r.client.openTarget(ctx, r.in.Suite)
	}
	return r.opened
}

// buildAndLoad builds the images, and loads each as soon as it is there.
func (r *upRun) buildAndLoad(ctx context.Context) error {
	building, cancel := buildTime(ctx, r.in.BuildTimeout)
	defer cancel()
	var turns chan struct{}
	if r.build != nil {
		turns = make(chan struct{}, r.build.parallel())
	}
	failed := make([]error, len(r.in.Suite.Images))
	var working errgroup.Group
	for i, image := range r.in.Suite.Images {
		working.Go(func() error {
			if err := r.built(building, image, turns); err != nil {
				failed[i] = &imageError{image.Name, err}
				return nil
			}
			failed[i] = r.loaded(ctx, image)
			return nil
		})
	}
	_ = working.Wait() // each says its error itself
	names := recordedNames(r.in.Suite)
	slices.SortFunc(r.result.Built, func(a, b BuiltImage) int {
		return slices.Index(names, a.Name) - slices.Index(names, b.Name)
	})
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return errors.Join(failed...)
}

// builds tells whether the run builds or adopts the image.
func (r *upRun) builds(image config.Image) bool {
	return r.build != nil && canBuild(image)
}

// built makes sure that the image is what its tree says.
func (r *upRun) built(ctx context.Context, image config.Image, turns chan struct{}) error {
	if !r.builds(image) {
		return nil
	}
	return r.build.order.after(ctx, image.Name, func() (bool, error) {
		if r.build.unchanged(ctx, image) {
			return false, nil
		}
		one, err := r.build.timed(ctx, image, turns)
		if err != nil {
			return false, err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.result.Built = append(r.result.Built, *one)
		return one.Changed, nil
	})
}

// loaded brings the image into the nodes, unless the record says that it is there.
func (r *upRun) loaded(ctx context.Context, image config.Image) error {
	if image.HostOnly {
		return nil
	}
	target := r.target(ctx)
	if target == nil {
		// Said once all that can be done without a cluster is done.
		r.mu.Lock()
		r.waiting = append(r.waiting, image)
		r.mu.Unlock()
		return nil
	}
	in := LoadInput{Suite: r.in.Suite}
	in.Suite.Images = []config.Image{image}
	if err := r.client.pullExternal(ctx, in.Suite, target.place)[image.Name]; err != nil {
		return err
	}
	r.loading.Lock()
	defer r.loading.Unlock()
	if err := target.lock.reread(); err != nil {
		return err
	}
	if image.External == "" {
		is, err := r.recorded(ctx, target, image)
		if err != nil || is {
			return err
		}
		r.mu.Lock()
		r.fresh = append(r.fresh, image)
		r.mu.Unlock()
	}
	loaded, err := r.client.loadInto(ctx, in, target, nil)
	if loaded != nil {
		r.mu.Lock()
		r.result.Loaded = append(r.result.Loaded, loaded.Images...)
		r.mu.Unlock()
	}
	return err
}
