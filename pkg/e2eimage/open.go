package e2eimage

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// Open returns the suite of a consumer as the e2eimage.yaml says it that the command line
// would take: of E2EIMAGE_CONFIG, else the nearest in Options.Dir or above it. consumer is
// "" where the file has only one suite. Everything that is wrong with options, file and
// environment comes in one *UsageError. It connects to nothing yet.
func Open(options Options, consumer string) (*Suite, error) {
	client, err := New(options)
	if err != nil {
		return nil, err
	}
	flags := client.options.flags()
	flags.Consumer, flags.AnyImages = consumer, true
	resolved, err := config.Resolve(flags, client.options.LookupEnv, client.options.Dir)
	if err != nil {
		return nil, &UsageError{err}
	}
	if resolved.File == "" {
		return nil, &UsageError{fmt.Errorf("there is no e2eimage.yaml in %s, nor above it in its repository; write one, or "+
			"say in Go what it would say: e2eimage.Define", client.options.Dir)}
	}
	return &Suite{client: client, suite: resolved}, nil
}

// flags are what the options say of a suite. Commands that are suggested repeat them.
func (o Options) flags() config.Flags {
	flags := config.Flags{KindCluster: o.KindCluster, Provider: o.Provider}
	for _, flag := range [][2]string{
		{"--kubeconfig", o.Kubeconfig},
		{"--context", o.Context},
		{"--kind-cluster", o.KindCluster},
		{"--provider", o.Provider},
	} {
		if flag[1] != "" {
			flags.Repeat = append(flags.Repeat, flag[0], flag[1])
		}
	}
	return flags
}

// LoadImages loads images into the nodes of a Kind cluster as `kind load` does, but sends
// only what the nodes lack: from docker or podman by name or ID, or from an archive, as
// config.ParseSource understands them. It needs no record, no consumer, no namespace and no
// API server: Options.KindCluster, or a Context kind-NAME, is all. It takes at most
// DefaultLoadTimeout. An image that fails does not keep the others from being loaded.
func LoadImages(ctx context.Context, options Options, images ...string) (*LoadResult, error) {
	client, err := New(options)
	if err != nil {
		return nil, err
	}
	return client.loadImages(ctx, images)
}

func (c *Client) loadImages(ctx context.Context, images []string) (*LoadResult, error) {
	suite := config.Suite{KindCluster: c.options.KindCluster, Provider: c.options.Provider}
	suite.ProviderHint, _ = c.options.LookupEnv("KIND_EXPERIMENTAL_PROVIDER")
	for i, image := range images {
		name := config.NameOf(image)
		if i > 0 {
			name = fmt.Sprintf("%s-%d", name[:min(len(name), 50)], i)
		}
		if source, err := config.ParseSource(image); err == nil && source.IsArchive() && !filepath.IsAbs(source.Value) {
			image = fmt.Sprintf("%s:%s", source.Kind, filepath.Join(c.options.Dir, source.Value))
		}
		suite.Images = append(suite.Images, config.Image{Name: name, Source: image, Loose: true})
	}
	ctx, cancel := bounded(ctx, DefaultLoadTimeout)
	defer cancel()
	return verb(ctx, LoadInput{Suite: suite}, c.loadLoose)
}

// loadLoose is Load where nobody asks an API server.
func (c *Client) loadLoose(ctx context.Context, in LoadInput) (*LoadResult, error) {
	nodes, err := c.find(ctx, in.Suite)
	if err != nil {
		return nil, err
	}
	on := &place{nodes: nodes}
	defer on.Close()
	return c.loadInto(ctx, in, &target{place: on}, nil)
}

// How long verbs take at most where nobody says otherwise.
const (
	// DefaultBuildTimeout is twice of what long builds take.
	DefaultBuildTimeout = 30 * time.Minute
	// DefaultLoadTimeout is longer than that of others: images may be large and disks slow. A
	// node that stands still is told earlier.
	DefaultLoadTimeout = 15 * time.Minute
	// DefaultVerbTimeout is for Tag, Status and Down.
	DefaultVerbTimeout = 2 * time.Minute
)

// bounded ends ctx after the timeout, with a cause that says so.
func bounded(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, timeout, &TimeoutError{fmt.Errorf("not done after %s", timeout)})
}
