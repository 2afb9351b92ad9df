// Package envfuncs has the steps of package e2eimage as functions for environments of
// e2e-framework. They hand the suite and its images on in the context, as the framework's own
// functions do with clusters. It must not do anything that package e2eimage does not.
package envfuncs

import (
	"context"
	"errors"
	"fmt"
	"os"

	"sigs.k8s.io/e2e-framework/pkg/env"
	"sigs.k8s.io/e2e-framework/pkg/envconf"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

type suiteKey struct{}

type imagesKey struct{}

// Open opens the suite of a consumer from e2eimage.yaml, as e2eimage.Open does. What options
// leave out comes from the environment's configuration: kubeconfig, context and namespace. The
// namespace goes before that of e2eimage.yaml.
func Open(options e2eimage.Options, consumer string) env.Func {
	return opened(options, func(options e2eimage.Options) (*e2eimage.Suite, error) {
		return e2eimage.Open(options, consumer)
	})
}

// Define defines a suite without a file, as e2eimage.Define does, else as Open. The namespace
// is that of the definition, else that of the environment's configuration.
func Define(options e2eimage.Options, definition e2eimage.Definition) env.Func {
	return opened(options, func(options e2eimage.Options) (*e2eimage.Suite, error) {
		return e2eimage.Define(options, definition)
	})
}

func opened(options e2eimage.Options, open func(e2eimage.Options) (*e2eimage.Suite, error)) env.Func {
	return func(ctx context.Context, config *envconf.Config) (context.Context, error) {
		suite, err := open(connected(options, config))
		if err != nil {
			return ctx, err
		}
		return context.WithValue(ctx, suiteKey{}, suite), nil
	}
}

// connected fills in what the environment's configuration says and the options do not.
func connected(options e2eimage.Options, config *envconf.Config) e2eimage.Options {
	if options.Kube == nil && options.REST == nil && options.Kubeconfig == "" {
		options.Kubeconfig = config.KubeconfigFile()
	}
	if options.Context == "" {
		options.Context = config.KubeContext()
	}
	lookup := options.LookupEnv
	if lookup == nil {
		lookup = os.LookupEnv
	}
	options.LookupEnv = func(key string) (string, bool) {
		if namespace := config.Namespace(); key == "E2EIMAGE_NAMESPACE" && namespace != "" {
			return namespace, true
		}
		return lookup(key)
	}
	return options
}

// errNoSuite is what steps say that come before the suite.
var errNoSuite = errors.New("no suite is open in this environment; put envfuncs.Open or envfuncs.Define before")

// SuiteFrom returns the suite that Open or Define left in the context.
func SuiteFrom(ctx context.Context) (*e2eimage.Suite, error) {
	suite, ok := ctx.Value(suiteKey{}).(*e2eimage.Suite)
	if !ok {
		return nil, errNoSuite
	}
	return suite, nil
}

// ImagesFrom returns the recorded images that Up left in the context.
func ImagesFrom(ctx context.Context) (*e2eimage.Images, error) {
	images, ok := ctx.Value(imagesKey{}).(*e2eimage.Images)
	if !ok {
		return nil, errors.New("no images are recorded in this environment yet; put envfuncs.Up before")
	}
	return images, nil
}

// Up builds, loads, tags and deploys the images of the suite, as its Up does, and leaves them in the
// context for ImagesFrom.
func Up(options ...e2eimage.Option) env.Func {
	return func(ctx context.Context, _ *envconf.Config) (context.Context, error) {
		suite, err := SuiteFrom(ctx)
		if err != nil {
			return ctx, err
		}
		images, err := suite.Up(ctx, options...)
		if err != nil {
			return ctx, err
		}
		return context.WithValue(ctx, imagesKey{}, images), nil
	}
}

// Down takes away what the suite's records own, as its Down does. It does nothing where no
// suite was opened: the framework runs what finishes an environment also after what sets it up
// has failed.
func Down(options ...e2eimage.Option) env.Func {
	return func(ctx context.Context, _ *envconf.Config) (context.Context, error) {
		suite, err := SuiteFrom(ctx)
		if errors.Is(err, errNoSuite) {
			return ctx, nil
		}
		return ctx, suite.Down(ctx, options...)
	}
}

// LoadImages takes the place of the framework's LoadImageToCluster for Kind: it brings images of
// docker or podman, or archives, to every node of the Kind cluster, as e2eimage.LoadImages does.
func LoadImages(kindCluster string, images ...string) env.Func {
	return func(ctx context.Context, _ *envconf.Config) (context.Context, error) {
		if _, err := e2eimage.LoadImages(ctx, e2eimage.Options{KindCluster: kindCluster}, images...); err != nil {
			return ctx, fmt.Errorf("loading into the Kind cluster %s: %w", kindCluster, err)
		}
		return ctx, nil
	}
}
