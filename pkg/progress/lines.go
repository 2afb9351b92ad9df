package progress

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
)

// Detail is how much Lines tells.
type Detail int

// How much Lines tells.
const (
	// Warnings tells only what the user should know.
	Warnings Detail = iota
	// Steps also tells what was done and what took long.
	Steps
	// AllSteps also tells of steps that took no time.
	AllSteps
)

// Lines writes one plain line per event: for pipes, logs and CI.
type Lines struct {
	mu     sync.Mutex
	out    io.Writer
	detail Detail
}

var _ Reporter = (*Lines)(nil)

func (*Lines) reporter() {}

// NewLines returns a reporter that writes to out.
func NewLines(out io.Writer, detail Detail) *Lines { return &Lines{out: out, detail: detail} }

// Start implements Reporter. The end is worth a line, and how far it is where it takes
// long. A step that is cut short is told by the error that follows.
func (l *Lines) Start(step Step) Running {
	now := time.Now()
	return &lineStep{lines: l, step: step, begun: now, told: now}
}

// patience is how long a step says nothing at first, and between two times.
const patience = 10 * time.Second

type lineStep struct {
	lines *Lines
	step  Step
	begun time.Time

	mu     sync.Mutex
	result string
	// state was said last, at told.
	state string
	told  time.Time
	// next is what due says; nil while nothing is to be said.
	next string
	due  *time.Timer
}

func (*lineStep) running() {}

// Now implements Running. What comes too early is said later, unless it is old by then.
func (s *lineStep) Now(state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest()
	if state != s.state {
		s.next, s.due = state, time.AfterFunc(time.Until(s.told.Add(patience)), s.tell)
	}
}

// rest leaves unsaid what is due.
func (s *lineStep) rest() {
	if s.due != nil {
		s.due.Stop()
		s.due = nil
	}
}

func (s *lineStep) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.due == nil {
		// It ended, or is again what was said last.
		return
	}
	now := time.Now()
	s.state, s.told, s.due = s.next, now, nil
	s.lines.print(Steps, fmt.Sprintf("%s: %s (%s)", s.step.Doing, s.state, Elapsed(now.Sub(s.begun))))
}

// Result implements Running.
func (s *lineStep) Result(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result = text
}

// End implements Running.
func (s *lineStep) End(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest()
	if err != nil {
		return
	}
	if line, always := Ended(s.step, s.result, time.Since(s.begun)); line != "" {
		detail := AllSteps
		if always {
			detail = Steps
		}
		s.lines.print(detail, line)
	}
}

// Ended is how a step that has succeeded is told, and whether that is also where steps
// that took no time are not.
func Ended(step Step, result string, took time.Duration) (line string, always bool) {
	long := took >= Short
	switch line = step.Done; {
	case result != "":
		line = result
	case line == "":
		return "", false
	}
	if long {
		line += " (" + Elapsed(took) + ")"
	}
	return line, long || result != ""
}

// Output implements Reporter.
func (l *Lines) Output(of, line string) bool {
	if of != "" {
		line = of + " | " + line
	}
	l.print(Steps, line)
	return l.detail >= Steps
}

// Info implements Reporter.
func (l *Lines) Info(message string) { l.print(Steps, message) }

// Warn implements Reporter.
func (l *Lines) Warn(message string) { l.print(Warnings, "warning: "+message) }

func (l *Lines) print(least Detail, line string) {
	if l.detail < least {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = io.WriteString(l.out, foreign.Harmless(line+"\n"))
}
