package progress

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
)

// Spinner shows the running steps on a terminal: one line that is drawn anew,
// finished steps stay above it.
type Spinner struct {
	mu     sync.Mutex
	out    io.Writer
	width  int
	colour bool
	steps  []*step
	frame  int
	stop   chan struct{}
	// bars is nil while nothing is transferred.
	bars *bars
}

type step struct {
	text  string
	begun time.Time
}

var _ Reporter = (*Spinner)(nil)

const (
	clearLine = "\r\x1b[K"
	interval  = 100 * time.Millisecond
)

var frames = [...]string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// NewSpinner returns a reporter that draws on the terminal out, whose lines are
// width columns wide; colour off honours NO_COLOR.
func NewSpinner(out io.Writer, width int, colour bool) *Spinner {
	return &Spinner{out: out, width: width, colour: colour}
}

// Start implements Reporter.
func (s *Spinner) Start(text string) func(error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	running := &step{text: foreign.Harmless(text), begun: time.Now()}
	s.steps = append(s.steps, running)
	if s.stop == nil {
		s.stop = make(chan struct{})
		go s.spin(s.stop)
	}
	s.draw()
	return func(err error) { s.end(running, err) }
}

func (s *Spinner) end(ended *step, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = slices.DeleteFunc(s.steps, func(other *step) bool { return other == ended })
	if len(s.steps) == 0 && s.stop != nil {
		close(s.stop)
		s.stop = nil
	}
	mark := s.paint("32", "✓")
	if err != nil {
		mark = s.paint("31", "✗")
	}
	s.print(fmt.Sprintf("%s %s (%s)", mark, ended.text, elapsed(ended.begun)))
}

// Info implements Reporter.
func (s *Spinner) Info(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.print("  " + foreign.Harmless(message))
}

// Warn implements Reporter.
func (s *Spinner) Warn(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.print(s.paint("33", "warning: ") + foreign.Harmless(message))
}

func (s *Spinner) spin(stop <-chan struct{}) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			s.mu.Lock()
			s.frame++
			s.draw()
			s.mu.Unlock()
		}
	}
}

func (s *Spinner) print(line string) {
	if s.bars != nil {
		// Above the bars.
		_, _ = fmt.Fprintln(s.bars.container, line)
		return
	}
	_, _ = fmt.Fprintf(s.out, "%s%s\n", clearLine, line)
	s.draw()
}

// draw shows the newest running step, cut to one line so that it can be erased.
func (s *Spinner) draw() {
	if len(s.steps) == 0 || s.bars != nil {
		return
	}
	newest := s.steps[len(s.steps)-1]
	text := []rune(fmt.Sprintf("%s %s", frames[s.frame%len(frames)], newest.text))
	if s.width > 1 && len(text) > s.width-1 {
		text = append(text[:s.width-2], '…')
	}
	_, _ = fmt.Fprintf(s.out, "%s%s", clearLine, string(text))
}

func (s *Spinner) paint(code, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
