package e2eimage

import (
	"bytes"
	"strings"
	"sync"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// outputLines reports a command's output line by line, without secrets in it.
type outputLines struct {
	report progress.Reporter
	// of is the image, where several are built at once.
	of     string
	masker *foreign.Masker

	mu   sync.Mutex
	rest []byte
	// shown is set once somebody saw a line.
	shown bool
}

// longLine is where a line is reported although it has not ended: some progress
// never does.
const longLine = 8 << 10

// Write implements io.Writer.
func (o *outputLines) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rest = append(o.rest, p...)
	for {
		i := bytes.IndexByte(o.rest, '\n')
		if i < 0 && len(o.rest) >= longLine {
			i = len(o.rest)
		}
		if i < 0 {
			return len(p), nil
		}
		o.print(o.rest[:i])
		o.rest = o.rest[min(i+1, len(o.rest)):]
	}
}

func (o *outputLines) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.rest) > 0 {
		o.print(o.rest)
		o.rest = nil
	}
}

func (o *outputLines) print(line []byte) {
	o.shown = o.report.Output(o.of, o.masker.Line(foreign.LastState(string(line)))) || o.shown
}

// lastSaid is the end of a command's output as it is shown.
func lastSaid(output string, secrets []string) string {
	lines := strings.Split(output, "\n")
	for i, line := range lines {
		lines[i] = foreign.LastState(line)
	}
	return foreign.NewMasker(secrets...).Text(strings.Join(lines, "\n"))
}

// leastSecret is the length below which masking would hide more than it protects.
const leastSecret = 6

// listening notes what templates take from the environment: what is written in the
// config file is no secret.
func listening(environment config.Environment, heard *[]string) config.Environment {
	if environment == nil {
		return nil
	}
	return func(key string) (string, bool) {
		value, ok := environment(key)
		// Output comes by lines.
		for line := range strings.Lines(value) {
			if line = strings.TrimSpace(line); len(line) >= leastSecret {
				*heard = append(*heard, line)
			}
		}
		return value, ok
	}
}
