package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
)

func newNodeImage() *cobra.Command {
	var provider string
	cmd := &cobra.Command{
		Use:   "node-image",
		Short: "Make the node image, and print its reference",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, log := cmd.Context(), cmd.ErrOrStderr()
			if _, err := kindtest.Environment(ctx, provider, log); err != nil {
				return err
			}
			image, err := kindtest.NodeImage(ctx, provider, log)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), image.Reference)
			return err
		},
	}
	providerFlag(cmd, &provider)
	return cmd
}
