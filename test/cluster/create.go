package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
)

// readyLimit is how long --wait waits for the nodes.
const readyLimit = 3 * time.Minute

func newCreate() *cobra.Command {
	var o kindtest.Options
	var wait bool
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Create a cluster and write its kubeconfig",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Log = cmd.ErrOrStderr()
			if wait {
				o.Wait = readyLimit
			}
			return kindtest.Create(cmd.Context(), o)
		},
	}
	providerFlag(cmd, &o.Provider)
	flags := cmd.Flags()
	flags.StringVar(&o.Name, "name", "", "name of the cluster (required)")
	flags.IntVar(&o.Workers, "workers", 0, "number of worker nodes")
	flags.IntVar(&o.ControlPlanes, "control-planes", 1, "number of control plane nodes")
	flags.StringVar(&o.Kubeconfig, "kubeconfig", "", "kubeconfig file to write (required; the user's own is never touched)")
	flags.BoolVar(&wait, "wait", false, "wait until all nodes are ready")
	return cmd
}
