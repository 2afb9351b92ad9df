package progress

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
)

// Lines writes one plain line per event: for pipes, logs and CI.
type Lines struct {
	mu  sync.Mutex
	out io.Writer
}

var _ Reporter = (*Lines)(nil)

// NewLines returns a reporter that writes to out.
func NewLines(out io.Writer) *Lines { return &Lines{out: out} }

// Start implements Reporter. Only the end is worth a line: a step that is cut
// short is told by the error that follows.
func (l *Lines) Start(step string) func(error) {
	begun := time.Now()
	return func(err error) {
		if err == nil {
			l.print("%s (%s)", step, elapsed(begun))
		}
	}
}

// Transfer implements Reporter. Like a step, it is worth a line when it ends.
func (l *Lines) Transfer(to string, _ int64) Transfer {
	return &transferLine{lines: l, to: to, begun: time.Now()}
}

type transferLine struct {
	lines *Lines
	to    string
	begun time.Time
	bytes atomic.Int64
}

// Add implements Transfer.
func (t *transferLine) Add(bytes int64) { t.bytes.Add(bytes) }

// End implements Transfer.
func (t *transferLine) End(err error) {
	if bytes := t.bytes.Load(); err == nil && bytes > 0 {
		t.lines.print("  %s: %s (%s, %s/s)", t.to, Bytes(bytes), elapsed(t.begun), Bytes(int64(float64(bytes)/time.Since(t.begun).Seconds())))
	}
}

// Info implements Reporter.
func (l *Lines) Info(message string) { l.print("%s", message) }

// Warn implements Reporter.
func (l *Lines) Warn(message string) { l.print("warning: %s", message) }

func (l *Lines) print(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = io.WriteString(l.out, foreign.Harmless(fmt.Sprintf(format+"\n", args...)))
}

func elapsed(begun time.Time) string {
	return time.Since(begun).Round(10 * time.Millisecond).String()
}
