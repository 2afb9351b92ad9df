package cli

import (
	"flag"
	"io"

	"k8s.io/client-go/features"
	"k8s.io/klog/v2"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
)

// LogTo lets what -v shows go to errOut, with all that is foreign in it masked and
// harmless: arguments of commands, and from 8 on bodies of requests. The log is the
// process's: it is for main.
func LogTo(errOut io.Writer) {
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	// Else klog itself writes to the process's stderr, or to several files.
	for _, one := range [][2]string{{"logtostderr", "false"}, {"stderrthreshold", "FATAL"}, {"one_output", "true"}} {
		// They are klog's own.
		_ = flags.Set(one[0], one[1])
	}
	// client-go logs each of its feature gates when the first is asked for: ask while
	// nothing is shown yet.
	features.FeatureGates().Enabled(features.WatchListClient)
	klog.SetOutput(foreign.Writer(errOut, foreign.Masked))
}
