// Package terminal shows on a terminal what a verb is doing: a line for each step that
// runs, drawn anew in place, below what has been said. It must not know any verb.
package terminal

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// View shows running steps. What has ended stays above them.
type View struct {
	progress.Discard

	mu     sync.Mutex
	out    io.Writer
	size   func() (columns, rows int)
	colour bool
	steps  []*step
	frame  int
	// outputs are whose output was shown, by their short names.
	outputs map[string]string
	// drawn is how many lines there are to be erased.
	drawn int
	// stop ends the redrawing; nil while nothing runs.
	stop   chan struct{}
	closed bool
}

var _ progress.Reporter = (*View)(nil)

const interval = 100 * time.Millisecond

var frames = [...]string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// NewView returns a reporter that draws on the terminal out. size is asked each time:
// windows are resized. Colour off honours NO_COLOR.
func NewView(out io.Writer, size func() (columns, rows int), colour bool) *View {
	return &View{out: out, size: size, colour: colour, outputs: map[string]string{}}
}

// step implements progress.Running.
type step struct {
	progress.Unheard

	view          *View
	said          progress.Step
	begun         time.Time
	state, result string
}

// Start implements progress.Reporter.
func (v *View) Start(said progress.Step) progress.Running {
	v.mu.Lock()
	defer v.mu.Unlock()
	running := &step{view: v, said: said, begun: time.Now()}
	v.steps = append(v.steps, running)
	if v.stop == nil && !v.closed {
		v.stop = make(chan struct{})
		go v.turn(v.stop)
	}
	return running
}

// Now implements progress.Running. The next frame shows it.
func (s *step) Now(state string) {
	s.view.mu.Lock()
	defer s.view.mu.Unlock()
	s.state = state
}

// Result implements progress.Running.
func (s *step) Result(text string) {
	s.view.mu.Lock()
	defer s.view.mu.Unlock()
	s.result = text
}

// End implements progress.Running.
func (s *step) End(err error) {
	v := s.view
	v.mu.Lock()
	defer v.mu.Unlock()
	v.steps = slices.DeleteFunc(v.steps, func(other *step) bool { return other == s })
	if len(v.steps) == 0 {
		v.rest()
	}
	took := time.Since(s.begun)
	line, told := progress.Ended(s.said, s.result, took)
	mark := v.paint("32", "✓")
	if err != nil {
		// What went wrong is told by the error.
		line, told, mark = s.said.Doing+" ("+progress.Elapsed(took)+")", took >= progress.Short, v.paint("31", "✗")
	}
	if told {
		v.print(mark + " " + strings.TrimPrefix(v.indented(line), indent))
		return
	}
	v.draw("")
}

// Output implements progress.Reporter. It shows a line as the program has written it.
func (v *View) Output(of, line string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if of != "" {
		line = v.shortName(of) + " | " + line
	}
	v.print(indent + foreign.Harmless(line))
	return true
}

// shortName leaves most of a line to what the program has written, unless the name could then
// be taken for another.
func (v *View) shortName(of string) string {
	columns, _ := v.size()
	short := shortened(of, "", columns/3)
	if v.outputs[short] == "" {
		v.outputs[short] = of
	}
	if v.outputs[short] != of {
		return of
	}
	return short
}

// Info implements progress.Reporter.
func (v *View) Info(message string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.print(v.indented(message))
}

// Warn implements progress.Reporter.
func (v *View) Warn(message string) {
	const word = "warning: "
	v.mu.Lock()
	defer v.mu.Unlock()
	columns, _ := v.size()
	v.print(v.paint("33", word) + Fold(foreign.Harmless(message), columns, len(word)))
}

// indent is before what is said of a verb's steps, where others have their mark.
const indent = "  "

// indented is a text with all its lines behind the marks, as wide as the terminal.
func (v *View) indented(text string) string {
	columns, _ := v.size()
	return Fold(indent+strings.ReplaceAll(foreign.Harmless(text), "\n", "\n"+indent), columns, 0)
}

// Close takes the running steps off the terminal: what follows is written by others.
func (v *View) Close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	v.rest()
	v.draw("")
}

// rest stops redrawing.
func (v *View) rest() {
	if v.stop != nil {
		close(v.stop)
		v.stop = nil
	}
}

func (v *View) turn(stop <-chan struct{}) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			v.mu.Lock()
			v.frame++
			if v.stop == stop {
				v.draw("")
			}
			v.mu.Unlock()
		}
	}
}

// print writes a line that stays.
func (v *View) print(line string) { v.draw(line + "\n") }

// draw writes text that stays, and below it the steps that run. All in one write, so
// that nothing flickers.
func (v *View) draw(text string) {
	var all strings.Builder
	if v.drawn > 0 {
		all.WriteString("\r")
		if v.drawn > 1 {
			fmt.Fprintf(&all, "\x1b[%dA", v.drawn-1)
		}
		all.WriteString("\x1b[J")
	}
	all.WriteString(text)
	lines := v.lines()
	all.WriteString(strings.Join(lines, "\n"))
	v.drawn = len(lines)
	if all.Len() > 0 {
		_, _ = io.WriteString(v.out, all.String())
	}
}

// lines are the steps that run for some time already, each cut to one line: else it
// could not be erased.
func (v *View) lines() []string {
	if v.closed {
		return nil
	}
	columns, rows := v.size()
	var lines []string
	now := time.Now()
	for _, running := range v.steps {
		took := now.Sub(running.begun)
		if took < progress.Short {
			continue
		}
		state, end := "", ""
		if running.state != "" {
			state = ": " + foreign.Line(running.state)
		}
		if took >= time.Second {
			end = "  " + took.Truncate(time.Second).String()
		}
		doing := shortened(foreign.Line(running.said.Doing), state+end, columns-3)
		lines = append(lines, fit(frames[v.frame%len(frames)]+" "+doing+state, end, columns))
	}
	if most := rows - 2; rows > 0 && len(lines) > max(most, 1) {
		more := len(lines) - max(most, 1) + 1
		lines = append(lines[:max(most, 1)-1], fit(fmt.Sprintf("  and %d more", more), "", columns))
	}
	return lines
}

// leastDoing is what stays of what a step does, however much there is to be said of it.
const leastDoing = 24

// shortened takes the middle out of what a step does, mostly a long name, so that what
// stands behind it has its place on the line.
func shortened(doing, behind string, room int) string {
	room = max(room-Width(behind), leastDoing)
	if room >= Width(doing) {
		return doing
	}
	front := room / 2
	return head(doing, front) + "…" + tail(doing, room-1-front)
}

// fit cuts a text so that it has its place on a line together with its end. The last
// column stays free: some terminals begin a new line there.
func fit(text, end string, columns int) string {
	if columns > 1 && Width(text)+Width(end) > columns-1 {
		if Width(end) > columns/2 {
			end = ""
		}
		text = head(text, max(columns-2-Width(end), 0)) + "…"
	}
	return text + end
}

func (v *View) paint(code, text string) string {
	if !v.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
