package cli

import (
	"context"
	"fmt"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// bindArtifacts adds --artifacts: a verb that fails leaves there what explains it.
func (v *verb[In, Out]) bindArtifacts() {
	v.explains = true
	v.cmd.Flags().StringVar(&v.flags.Artifacts, "artifacts", "",
		"If it fails, write what explains it into a new folder in this one")
	_ = v.cmd.MarkFlagDirname("artifacts") // it is there
}

// explain leaves what explains a failure where that was asked for. A command line that is
// wrong explains itself.
func (a *app) explain(ctx context.Context, client verbs, suite config.Suite, failure error) {
	if failure == nil || suite.Artifacts == "" || exitCode(failure) == exitUsage {
		return
	}
	in := e2eimage.DiagnoseInput{Suite: suite, Dir: suite.Artifacts, Failure: failure}
	if _, err := client.Diagnose(ctx, in); err != nil {
		a.reporter().Warn(fmt.Sprintf("nothing that explains it is in %s: %v", suite.Artifacts, err))
	}
}
