package e2eimage

import (
	"context"
	"fmt"
	"slices"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// inCluster is the suite without the images that stay on the host. That none is left is a
// mistake of who asked.
func inCluster(suite config.Suite) (config.Suite, error) {
	is := func(image config.Image) bool { return image.HostOnly }
	var only []string
	for _, image := range suite.Images {
		if image.HostOnly {
			only = append(only, image.Name)
		}
	}
	if len(only) > 0 && len(only) == len(suite.Images) {
		return suite, &UsageError{
			fmt.Errorf("%q: hostOnly images go into no cluster; build, ref and clean are for them", only),
		}
	}
	suite.Images = slices.DeleteFunc(slices.Clone(suite.Images), is)
	suite.Others = slices.DeleteFunc(slices.Clone(suite.Others), is)
	return suite, nil
}

// upHost is Up for a suite of which nothing goes into a cluster: it needs none.
func (c *Client) upHost(ctx context.Context, in UpInput) (*UpResult, error) {
	result := &UpResult{Built: []BuiltImage{}, Loaded: []LoadedImage{}, Tagged: []TaggedImage{}, Images: []Ref{}}
	if !in.SkipBuild {
		built, err := c.build(ctx, BuildInput{
			Suite: in.Suite, Values: in.Values, Parallel: in.Parallel, Timeout: in.BuildTimeout, DryRun: in.DryRun,
		})
		if built != nil {
			result.Built = built.Images
		}
		if err != nil || in.DryRun {
			return result, err
		}
	}
	refs, err := c.ref(ctx, RefInput{Suite: in.Suite, From: UseLock})
	if err == nil {
		result.Images = refs.Images
	}
	return result, err
}
