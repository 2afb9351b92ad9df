package main

import (
	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
)

func newDown() *cobra.Command {
	var purge bool
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Stop what this tool has started itself: an own Docker daemon, with all clusters on it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return kindtest.Down(cmd.Context(), purge, cmd.ErrOrStderr())
		},
	}
	cmd.Flags().BoolVar(&purge, "purge", false, "also remove node images, caches and the own daemon's data")
	return cmd
}
