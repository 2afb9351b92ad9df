package cli

import (
	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// bindRollout adds what says which workloads are changed, and how.
func (a *app) bindRollout(cmd *cobra.Command, flags *config.Flags) {
	set := cmd.Flags()
	set.StringSliceVar(&flags.Workloads, "workload", nil,
		"KIND/NAME or NAMESPACE/KIND/NAME to deploy to (default deployment/NAME)")
	a.offer(cmd, "workload", e2eimage.KindWorkloads)
	set.StringSliceVar(&flags.Containers, "container", nil,
		"Container to set (default: those that run the image already, else the only one)")
	bind(cmd, enumFlag(&flags.PullPolicy, "Never", "IfNotPresent"), "pull-policy",
		"Pull policy to set, Never or IfNotPresent (default: kept, but Always becomes Never)")
	bind(cmd, optional(&flags.MaxRestarts, countFlag), "max-restarts",
		"Give up on a crash loop after this many restarts; 0 means never (default 3)")
	bindRolloutTimeout(cmd, optional(&flags.Timeout, positiveDuration))
	for _, manifests := range []string{"filename", "kustomize"} {
		cmd.MarkFlagsMutuallyExclusive(manifests, "workload")
		cmd.MarkFlagsMutuallyExclusive(manifests, "container")
	}
}

// bindForce adds what else may be changed than what is safe.
func bindForce(cmd *cobra.Command, forceConflicts, replace, takeOver *bool) {
	set := cmd.Flags()
	set.BoolVar(forceConflicts, "force-conflicts", false,
		"With -f or -k: take over fields that other field managers own")
	set.BoolVar(replace, "replace", false, "Delete and recreate Jobs and Pods that cannot be changed")
	set.BoolVar(takeOver, "take-over", false, "Also change workloads that another consumer deployed")
}

// bindRolloutTimeout adds a --timeout of each rollout; no other bounds the command.
func bindRolloutTimeout(cmd *cobra.Command, value *flagValue) {
	bind(cmd, value, "timeout", "Wait this long for each rollout (default 120s)")
}
