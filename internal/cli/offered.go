package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// offerLimit is how long a shell is kept waiting for what a cluster has.
const offerLimit = 2 * time.Second

// offered are completions from the cluster; what cannot be asked is not offered.
func (a *app) offered(ctx context.Context, of e2eimage.Kind) []string {
	ctx, cancel := context.WithTimeout(ctx, offerLimit)
	defer cancel()
	suite, err := a.suite(a.withCommon(config.Flags{AnyImages: true}))
	if err != nil {
		return nil
	}
	client, err := a.client()
	if err != nil {
		return nil
	}
	known, err := client.Known(ctx, e2eimage.KnownInput{Suite: suite, Of: of})
	if err != nil {
		return nil
	}
	return known.Names
}

// offer completes a flag from the cluster.
func (a *app) offer(cmd *cobra.Command, flag string, of e2eimage.Kind) {
	// It fails only for a flag that the command does not have.
	_ = cmd.RegisterFlagCompletionFunc(flag,
		func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
			all := a.offered(cmd.Context(), of)
			return slices.DeleteFunc(all, func(one string) bool {
				return !strings.HasPrefix(one, begun)
			}), cobra.ShellCompDirectiveNoFileComp
		})
}

// completeNames lets the shell offer the image names of the config; without one,
// those that are recorded.
func (a *app) completeNames(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var known []string
	suite, err := a.suite(a.withCommon(config.Flags{}))
	for _, image := range suite.Images {
		known = append(known, image.Name)
	}
	if err != nil {
		// What is wrong with a config is said when the command runs.
		known = a.offered(cmd.Context(), e2eimage.KindImages)
	}
	return slices.DeleteFunc(known, func(name string) bool { return slices.Contains(args, name) }),
		cobra.ShellCompDirectiveNoFileComp
}

// completeLoadable also offers the images of this host's engines.
func (a *app) completeLoadable(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	offered, directive := a.completeNames(cmd, args, begun)
	for _, image := range a.offered(cmd.Context(), e2eimage.KindHostImages) {
		if strings.HasPrefix(image, begun) && !slices.Contains(args, image) {
			offered = append(offered, image)
		}
	}
	return offered, directive
}
