package kindtest

import (
	"fmt"
	"io"
	"strings"

	kindexec "sigs.k8s.io/kind/pkg/exec"
	"sigs.k8s.io/kind/pkg/log"
)

// logger writes kind's normal messages, one a line, and drops the verbose ones.
type logger struct{ w io.Writer }

var _ log.Logger = logger{}

func (l logger) Warn(message string)           { l.line("warning: " + message) }
func (l logger) Warnf(format string, a ...any) { l.line("warning: " + fmt.Sprintf(format, a...)) }
func (l logger) Error(message string)          { l.line("error: " + message) }
func (l logger) Errorf(format string, a ...any) {
	l.line("error: " + fmt.Sprintf(format, a...))
}

// V implements log.Logger.
func (l logger) V(level log.Level) log.InfoLogger { return info{l, level <= 0} }

func (l logger) line(text string) {
	if text = strings.TrimSpace(text); text != "" {
		fmt.Fprintln(l.w, text)
	}
}

type info struct {
	l  logger
	on bool
}

func (i info) Info(message string) {
	if i.on {
		i.l.line(message)
	}
}

func (i info) Infof(format string, a ...any) {
	if i.on {
		i.l.line(fmt.Sprintf(format, a...))
	}
}

func (i info) Enabled() bool { return i.on }

// explainLines is how much of a failed command's output is shown.
const explainLines = 40

// explain adds the output of the command that failed, which kind's error keeps
// to itself.
func explain(err error) error {
	run := kindexec.RunErrorForError(err)
	if run == nil || len(run.Output) == 0 {
		return err
	}
	output := strings.Split(strings.TrimSpace(string(run.Output)), "\n")
	if cut := len(output) - explainLines; cut > 0 {
		output = output[cut:]
	}
	return fmt.Errorf("%w\n\t%s", err, strings.Join(output, "\n\t"))
}
