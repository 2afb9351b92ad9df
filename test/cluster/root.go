package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
)

func newRoot(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "cluster",
		Short: "Kind clusters for tests, on any machine",
		Long: `Kind clusters for tests, on any machine.

The first use installs the engine and makes a node image, which can take a
quarter of an hour where kind's own cannot be pulled. State is kept in the
user's cache folder, or in E2EIMAGE_TEST_CACHE.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(newNodeImage(), newCreate(), newDelete(), newEnv(), newDown())
	return root
}

func providerFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "provider", kindtest.Podman, kindtest.ProviderUsage())
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) (err error) {
		*into, err = kindtest.Choose(cmd.Context(), *into, cmd.ErrOrStderr())
		return err
	}
}
