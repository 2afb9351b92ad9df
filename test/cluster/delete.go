package main

import (
	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
)

func newDelete() *cobra.Command {
	var name, provider string
	cmd := &cobra.Command{
		Use:   "delete",
		Short: "Delete a cluster with its volumes; one that is not there is no error",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return kindtest.Delete(cmd.Context(), name, provider)
		},
	}
	providerFlag(cmd, &provider)
	cmd.Flags().StringVar(&name, "name", "", "name of the cluster (required)")
	return cmd
}
