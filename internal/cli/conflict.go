package cli

import (
	"github.com/spf13/pflag"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// conflictFlags decide where lock, host and cluster do not agree.
type conflictFlags struct {
	use        string
	allowStale bool
}

func (f *conflictFlags) add(set *pflag.FlagSet) {
	set.Var(&choice{&f.use, []string{string(e2eimage.UseLock), string(e2eimage.UseCluster)}}, "use",
		"If lock and cluster disagree: the one that is right, lock or cluster")
	set.BoolVar(&f.allowStale, "allow-stale", false,
		"Only warn if this host has something newer")
}
