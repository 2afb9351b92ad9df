package cli

import (
	"os"

	"golang.org/x/term"

	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// reporter suits stderr: a spinner on a terminal, lines elsewhere, nothing with -q.
func (a *app) reporter() progress.Reporter {
	if a.common.quiet {
		return progress.Discard{}
	}
	errOut := a.host.Streams.ErrOut
	file, ok := errOut.(*os.File)
	if dumb, _ := a.host.Environment("TERM"); !ok || dumb == "dumb" || !term.IsTerminal(int(file.Fd())) {
		return progress.NewLines(errOut)
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		width = 80
	}
	noColor, _ := a.host.Environment("NO_COLOR")
	return progress.NewSpinner(errOut, width, noColor == "")
}
