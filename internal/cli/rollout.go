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
	takeOver, replace, forceConflicts bool
	timeout                           time.Duration // 0 for nobody said
}

func (f *rolloutFlags) add(cmd *cobra.Command) {
	f.manifestFlags.add(cmd, "")
	f.conflictFlags.add(cmd.Flags())
	set := cmd.Flags()
	set.BoolVar(&f.forceConflicts, "force-conflicts", false, "With -f or -k: take fields over that other field managers own")
	set.BoolVar(&f.replace, "replace", false, "Delete and make anew Jobs and Pods that cannot be changed")
	set.BoolVar(&f.takeOver, "take-over", false, "Also change workloads that another consumer deployed")
	set.Var(&span{value: &f.timeout, least: 1}, "timeout", "Wait this long for each rollout (default 120s)")
}

// say tells the config what was said.
func (f *rolloutFlags) say(said *config.Flags) {
	if f.timeout > 0 {
		said.Timeout = &f.timeout
	}
}
