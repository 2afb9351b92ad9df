package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
)

// BuildInput is what Build needs.
type BuildInput struct {
	Suite config.Suite
	// Values for templates of tags and build arguments; what is not said is filled in, and
	// Consumer, Name and Random always are.
	Values config.TemplateValues
	// New draws a new tag although the content has one already.
	New bool
	// Flags for the engine, on top of the config's; for one image only.
	Flags []string
	// Parallel bounds how many images are built at once; 0 is DefaultParallel.
	Parallel int
	// Timeout bounds all builds together; 0 does not.
	Timeout time.Duration
	// DryRun decides and reports but builds nothing.
	DryRun bool
}

// DefaultParallel is how many images are built at once: engines share the host's
// memory, and each build has parallel steps of its own.
const DefaultParallel = 2

// BuildResult is what Build made, in the order of the suite's images.
type BuildResult struct {
	Images []BuiltImage `json:"images"`
}

// BuiltImage is an image whose tag is decided and whose content is pinned.
type BuiltImage struct {
	Name     string `json:"name"`
	Consumer string `json:"consumer"`
	// Image is the recorded image.
	Image string `json:"image"`
	// Planned is what a dry run says in place of an Image that is not built yet, such as
	// localhost/datastorage:suite-<random>.
	Planned string `json:"planned,omitempty"`
	// ImageID is "" where only loading tells it: docker with containerd's store,
	// and compressed archives.
	ImageID string `json:"imageID,omitempty"`
	// Engine that has it, and what that calls its ID; "" for an archive.
	Engine   string `json:"engine,omitempty"`
	EngineID string `json:"engineID,omitempty"`
	Platform string `json:"platform,omitempty"`
	// Prebuilt is the source that was adopted instead of a build.
	Prebuilt string `json:"prebuilt,omitempty"`
	// Changed is false when the content is that of before.
	Changed bool `json:"changed"`
	// Seconds that it took.
	Seconds float64 `json:"seconds"`
}

// Build decides the recorded image of every image of the suite that has a build,
// builds it and pins the result in the lock by its ID, so that it does not matter
// who takes its source's name afterwards. The same content keeps its tag. No
// cluster is needed. A build that fails leaves nothing behind, and does not keep
// the others from being built.
func (c *Client) Build(ctx context.Context, in BuildInput) (*BuildResult, error) {
	return verb(ctx, in, c.build)
}

func (c *Client) build(ctx context.Context, in BuildInput) (*BuildResult, error) {
	var err error
	if in.Suite, err = c.settle(ctx, in.Suite); err != nil {
		return nil, err
	}
	run, err := c.beginBuild(ctx, in)
	if err != nil {
		return nil, err
	}
	images, err := run.wanted()
	if err != nil {
		return nil, err
	}
	if run.order, err = run.newOrder(ctx, images); err != nil {
		return nil, err
	}
	ctx, cancel := buildTime(ctx, in.Timeout)
	defer cancel()
	built, err := run.all(ctx, images)
	result := &BuildResult{Images: []BuiltImage{}}
	for _, image := range built {
		if image != nil {
			result.Images = append(result.Images, *image)
		}
	}
	return result, err
}

// buildRun is one run of Build.
type buildRun struct {
	client   *Client
	in       BuildInput
	consumer string
	lock     *locks
	// groupTag is what the images of a tagGroup share, "" where each has its own.
	groupTag string
	// several is set where lines of output have to be told apart.
	several bool
	order   *buildOrder
}

func (c *Client) beginBuild(ctx context.Context, in BuildInput) (*buildRun, error) {
	in.Values = inDryRun(in.DryRun, c.commit(ctx, c.facts(ctx, in.Suite, in.Values)))
	consumer, err := c.consumerOf(ctx, in.Suite)
	if err != nil {
		return nil, err
	}
	run := &buildRun{client: c, in: in, consumer: consumer}
	if run.lock, err = c.openLock(in.Suite, consumer); err != nil {
		return nil, err
	}
	if run.lock == nil {
		return nil, &UsageError{errors.New("a build needs a lock file, which is .e2eimage/CONSUMER.lock.yaml beside " +
			"e2eimage.yaml\nwrite an e2eimage.yaml, or give --lock FILE")}
	}
	run.groupTag, err = groupTag(in.Suite, consumer, in.Values, in.New, run.lock.recordedImages)
	return run, err
}

// wanted are the images that can be built or adopted.
func (r *buildRun) wanted() ([]config.Image, error) {
	var images []config.Image
	var without []string
	for _, image := range r.in.Suite.Images {
		switch {
		case image.External != "":
		case image.Build == nil && image.Prebuilt == "":
			without = append(without, image.Name)
		default:
			images = append(images, image)
		}
	}
	switch {
	case len(images) == 0 && len(without) == 0:
		return nil, &UsageError{errors.New("nothing to build: all images are external")}
	case len(images) == 0:
		return nil, &UsageError{fmt.Errorf("%s has no build in e2eimage.yaml; write one: build: {context: .}\n"+
			"if you build it yourself, load it: kubectl e2eimage load %s", strings.Join(without, ", "),
			strings.Join(without, " "))}
	case len(r.in.Flags) > 0 && len(images) != 1:
		return nil, &UsageError{fmt.Errorf("flags after -- need exactly one image, not %d", len(images))}
	}
	r.several = len(images) > 1
	return images, nil
}

// buildTime bounds builds.
func buildTime(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, limit, &TimeoutError{fmt.Errorf("not built after --build-timeout=%s", limit)})
}

// all builds some images at once, and says all that went wrong.
func (r *buildRun) all(ctx context.Context, images []config.Image) ([]*BuiltImage, error) {
	built := make([]*BuiltImage, len(images))
	failed := make([]error, len(images))
	turns := make(chan struct{}, r.parallel())
	var working errgroup.Group
	for i, image := range images {
		working.Go(func() error {
			failed[i] = r.order.after(ctx, image.Name, func() (bool, error) {
				var err error
				built[i], err = r.timed(ctx, image, turns)
				return err == nil && built[i].Changed, err
			})
			if failed[i] != nil && context.Cause(ctx) == nil {
				failed[i] = &imageError{image.Name, failed[i]}
			}
			return nil
		})
	}
	_ = working.Wait() // each says its error itself
	if cause := context.Cause(ctx); cause != nil {
		return built, cause
	}
	return built, errors.Join(failed...)
}

// timed builds an image when it is its turn.
func (r *buildRun) timed(ctx context.Context, image config.Image, turns chan struct{}) (*BuiltImage, error) {
	select {
	case turns <- struct{}{}:
		defer func() { <-turns }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	begun := time.Now()
	one, err := r.one(ctx, image)
	if one != nil {
		one.Seconds = seconds(time.Since(begun))
	}
	return one, err
}

func (r *buildRun) parallel() int {
	if r.in.Parallel > 0 {
		return r.in.Parallel
	}
	return DefaultParallel
}

// chooseEngine decides which engine builds: as said, else the cluster's provider,
// else the only one there is.
func (c *Client) chooseEngine(ctx context.Context, suite config.Suite) (string, error) {
	if suite.Engine != "" {
		return suite.Engine, nil
	}
	installed := engine.Installed()
	switch len(installed) {
	case 0:
		return "", errors.New("no container engine is installed; install docker or podman")
	case 1:
		return installed[0], nil
	}
	if suite.Provider != "" {
		return suite.Provider, nil
	}
	if name, err := c.kindCluster(suite); err == nil {
		cluster, err := kindnode.Find(ctx, c.runner, kindnode.Query{Name: name, Hint: suite.ProviderHint})
		if err == nil {
			defer cluster.Close()
			return cluster.Provider, nil
		}
	}
	if suite.ProviderHint != "" {
		return suite.ProviderHint, nil
	}
	return "", &UsageError{fmt.Errorf("%s are installed; choose one with --engine, or as engine in e2eimage.yaml",
		strings.Join(installed, " and "))}
}

// seconds of a result, to the millisecond: more nobody can read.
func seconds(took time.Duration) float64 { return took.Round(time.Millisecond).Seconds() }
