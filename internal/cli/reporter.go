package cli

import (
	"io"
	"os"

	"golang.org/x/term"
	"k8s.io/klog/v2"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
	"github.com/e2eimage/kubectl-e2eimage/internal/terminal"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// reporter suits stderr: a view that is drawn anew on a terminal, lines elsewhere and
// between what -v shows, only warnings with -q. A command has one.
func (a *app) reporter() progress.Reporter {
	if a.reports == nil {
		a.reports = a.newReporter()
	}
	return a.reports
}

func (a *app) newReporter() progress.Reporter {
	errOut := a.host.Streams.ErrOut
	dumb, _ := a.host.Environment("TERM")
	lines := func(detail progress.Detail) progress.Reporter {
		return foldedLines{progress.NewLines(errOut, detail), a}
	}
	switch {
	case a.common.quiet:
		return lines(progress.Warnings)
	case klog.V(1).Enabled():
		return lines(progress.AllSteps)
	case dumb == "dumb" || !isTerminal(errOut):
		return lines(progress.Steps)
	}
	noColor, _ := a.host.Environment("NO_COLOR")
	return terminal.NewView(errOut, sizeOf(errOut), noColor == "")
}

// foldedLines are lines that fit a terminal, if they go to one.
type foldedLines struct {
	progress.Reporter
	app *app
}

// Info implements progress.Reporter.
func (l foldedLines) Info(message string) { l.Reporter.Info(l.app.folded(message, "")) }

// Warn implements progress.Reporter.
func (l foldedLines) Warn(message string) { l.Reporter.Warn(l.app.folded(message, "warning: ")) }

// folded is a text for stderr, behind a word that is written before it: on a terminal it
// is broken between words.
func (a *app) folded(text, before string) string {
	return terminal.Fold(foreign.Harmless(text), a.stderr().width, len(before))
}

// quieten takes off the terminal what is drawn there, before others write to it.
func (a *app) quieten() {
	if view, ok := a.reports.(*terminal.View); ok {
		view.Close()
	}
}

// isTerminal tells whether a stream of this process is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// sizeOf asks a terminal how large it is.
func sizeOf(out io.Writer) func() (columns, rows int) {
	return func() (columns, rows int) {
		if file, ok := out.(*os.File); ok {
			if columns, rows, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 {
				return columns, rows
			}
		}
		return 80, 24
	}
}
