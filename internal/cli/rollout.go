package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// rolloutFlags are those of the verbs that change workloads.
type rolloutFlags struct {
	conflictFlags
	manifestFlags
	workloads, containers             []string
	pullPolicy                        string
	maxRestarts                       int // -1 for nobody said
	takeOver, replace, forceConflicts bool
	timeout                           time.Duration // 0 for nobody said
}

func (f *rolloutFlags) add(cmd *cobra.Command) {
	f.manifestFlags.add(cmd, "")
	f.conflictFlags.add(cmd.Flags())
	set := cmd.Flags()
	set.StringSliceVar(&f.workloads, "workload", nil,
		"KIND/NAME or NAMESPACE/KIND/NAME to deploy to (default deployment/NAME)")
	set.StringSliceVar(&f.containers, "container", nil,
		"Container to set (default: those that run the image already, else the only one)")
	set.Var(&choice{&f.pullPolicy, []string{"Never", "IfNotPresent"}}, "pull-policy",
		"Pull policy to set, Never or IfNotPresent (default: kept, but Always becomes Never)")
	f.maxRestarts = -1
	set.Var((*count)(&f.maxRestarts), "max-restarts",
		"Give up on a crash loop after this many restarts; 0 means never (default 3)")
	for _, manifests := range []string{"filename", "kustomize"} {
		cmd.MarkFlagsMutuallyExclusive(manifests, "workload")
		cmd.MarkFlagsMutuallyExclusive(manifests, "container")
	}
	set.BoolVar(&f.forceConflicts, "force-conflicts", false,
		"With -f or -k: take over fields that other field managers own")
	set.BoolVar(&f.replace, "replace", false, "Delete and recreate Jobs and Pods that cannot be changed")
	set.BoolVar(&f.takeOver, "take-over", false, "Also change workloads that another consumer deployed")
	set.Var(&span{value: &f.timeout, least: 1}, "timeout", "Wait this long for each rollout (default 120s)")
}

// say tells the config what was said.
func (f *rolloutFlags) say(said *config.Flags) {
	said.Workloads, said.Containers, said.PullPolicy = f.workloads, f.containers, f.pullPolicy
	if f.maxRestarts >= 0 {
		said.MaxRestarts = &f.maxRestarts
	}
	if f.timeout > 0 {
		said.Timeout = &f.timeout
	}
}
