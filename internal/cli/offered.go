package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// offerLimit is how long a shell is kept waiting for what a cluster has.
const offerLimit = 2 * time.Second

// offered are completions from the cluster; what cannot be asked is not offered.
func (a *app) offered(ctx context.Context, of e2eimage.Kind) []string {
	ctx, cancel := context.WithTimeout(ctx, offerLimit)
	defer cancel()
	said := a.flags(nil)
	said.AnyImages = true
	suite, err := a.suite(said)
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
	_ = cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		all := a.offered(cmd.Context(), of)
		return slices.DeleteFunc(all, func(one string) bool { return !strings.HasPrefix(one, begun) }), cobra.ShellCompDirectiveNoFileComp
	})
}
