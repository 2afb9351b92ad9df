package progress

import (
	"sync"
	"time"
)

// Event is one thing that is told. New kinds and fields may come.
type Event struct {
	Kind EventKind
	// Step that it is about, of Started, Going, Done and Cut.
	Step Step
	// Text is how far a step is or what came of it, the line of a command, a message or a
	// warning.
	Text string
	// Image whose command has printed the line of Output, "" where there is only one.
	Image string
	// Took is how long the step has taken until now.
	Took time.Duration
	// Err is why a step was Cut.
	Err error
}

// EventKind tells what an Event is.
type EventKind string

// Kinds of events.
const (
	Started EventKind = "started"
	Going   EventKind = "going"
	Done    EventKind = "done"
	// Cut is a step that came to no good end.
	Cut     EventKind = "cut"
	Output  EventKind = "output"
	Info    EventKind = "info"
	Warning EventKind = "warning"
)

// String is the event in a line.
func (e Event) String() string {
	line := e.Step.Doing
	switch e.Kind {
	case Going:
		line += ": " + e.Text + " (" + Elapsed(e.Took) + ")"
	case Done:
		if line, _ = Ended(e.Step, e.Text, e.Took); line == "" {
			line = e.Step.Doing + ": done"
		}
	case Cut:
		// Why is said by the verb's error.
		line += ": cut after " + Elapsed(e.Took)
	case Warning:
		line = "warning: " + e.Text
	case Output, Info:
		line = e.Text
		if e.Image != "" {
			line = e.Image + ": " + line
		}
	}
	return line
}

// Tell returns a reporter that calls a function with each event, one at a time. The function
// must not call what it is told of.
func Tell(what func(Event)) Reporter { return &teller{tell: what} }

type teller struct {
	mu   sync.Mutex
	tell func(Event)
}

func (*teller) reporter() {}

func (t *teller) event(e Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tell(e)
}

// Start implements Reporter.
func (t *teller) Start(step Step) Running {
	t.event(Event{Kind: Started, Step: step})
	return &toldStep{teller: t, step: step, begun: time.Now()}
}

// Output implements Reporter.
func (t *teller) Output(of, line string) bool {
	t.event(Event{Kind: Output, Image: of, Text: line})
	return true
}

// Info implements Reporter.
func (t *teller) Info(message string) { t.event(Event{Kind: Info, Text: message}) }

// Warn implements Reporter.
func (t *teller) Warn(message string) { t.event(Event{Kind: Warning, Text: message}) }

type toldStep struct {
	teller *teller
	step   Step
	begun  time.Time
	mu     sync.Mutex
	result string
}

func (*toldStep) running() {}

// Now implements Running.
func (s *toldStep) Now(state string) {
	s.teller.event(Event{Kind: Going, Step: s.step, Text: state, Took: time.Since(s.begun)})
}

// Result implements Running.
func (s *toldStep) Result(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result = text
}

// End implements Running.
func (s *toldStep) End(err error) {
	s.mu.Lock()
	result := s.result
	s.mu.Unlock()
	e := Event{Kind: Done, Step: s.step, Text: result, Took: time.Since(s.begun)}
	if err != nil {
		e.Kind, e.Text, e.Err = Cut, "", err
	}
	s.teller.event(e)
}
