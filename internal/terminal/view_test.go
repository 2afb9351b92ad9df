package terminal

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// window is a terminal: it keeps what is written, and can be looked at meanwhile.
type window struct {
	mu            sync.Mutex
	written       bytes.Buffer
	columns, rows int
}

func newView(colour bool) (*View, *window) {
	w := &window{columns: 80, rows: 24}
	return NewView(w, func() (int, int) { return w.columns, w.rows }, colour), w
}

func (w *window) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.written.Write(p)
}

func (w *window) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.written.String()
}

var sequence = regexp.MustCompile(`^\x1b\[(\d*)([A-Za-z])`)

// shows returns the lines that a terminal shows after what was written to it; the last is
// where the cursor stands. Colours are left out, frames of the spinner are *.
func (w *window) shows(t *testing.T) []string {
	t.Helper()
	lines, at := []string{""}, 0
	for text := w.text(); text != ""; {
		found := sequence.FindStringSubmatch(text)
		switch {
		case found != nil && found[2] == "A":
			up, _ := strconv.Atoi(found[1])
			if at -= up; at < 0 {
				t.Fatalf("it goes up above its first line: %q", w.text())
			}
		case found != nil && found[2] == "J":
			lines = append(lines[:at], "")
		case found != nil && found[2] != "m":
			t.Fatalf("unknown control sequence %q", text)
		case text[0] == '\n':
			if at++; at == len(lines) {
				lines = append(lines, "")
			}
		case text[0] == '\r' || found != nil:
		default:
			r, size := utf8.DecodeRuneInString(text)
			char := text[:size]
			if slices.Contains(frames[:], char) {
				char = "*"
			}
			if r == utf8.RuneError {
				t.Fatalf("half a character: %q", text)
			}
			lines[at], text = lines[at]+char, text[size:]
			continue
		}
		if found != nil {
			text = text[len(found[0]):]
			continue
		}
		text = text[1:]
	}
	return lines
}

func (w *window) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(want, w.shows(t)); diff != "" {
		t.Errorf("the terminal (-want +got):\n%s", diff)
	}
}

// pass lets time pass in the bubble of a synctest: its clock jumps, nobody waits.
func pass(d time.Duration) { time.Sleep(d) }

func named(image string) progress.Step {
	return progress.Step{Doing: "Building " + image, Done: "Built " + image}
}

func TestEachStepHasALineWhileItRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		view, window := newView(true)
		first := view.Start(named("first"))
		pass(300 * time.Millisecond)
		window.want(t, "")
		second := view.Start(named("second"))
		pass(900 * time.Millisecond)
		second.Now("0/2 ready")
		view.Info("added")
		window.want(t, "  added", "* Building first  1s", "* Building second: 0/2 ready")
		first.End(nil)
		view.Warn("careful")
		window.want(t, "  added", "✓ Built first (1.2s)", "warning: careful", "* Building second: 0/2 ready")
		pass(time.Minute)
		window.want(t, "  added", "✓ Built first (1.2s)", "warning: careful", "* Building second: 0/2 ready  1m0s")
		second.End(errors.New("x"))
		window.want(t, "  added", "✓ Built first (1.2s)", "warning: careful", "✗ Building second (1m1s)", "")
		pass(time.Second)
	})
}

func TestShortStepsAreNotShown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		view, window := newView(false)
		for _, err := range []error{nil, errors.New("x")} {
			short := view.Start(named("x"))
			pass(400 * time.Millisecond)
			short.End(err)
		}
		window.want(t, "")
		resulting := view.Start(named("x"))
		resulting.Result("Built x: localhost/x:1")
		resulting.End(nil)
		window.want(t, "✓ Built x: localhost/x:1", "")
	})
}

func TestClosingLeavesNoLineBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		view, window := newView(false)
		first, second := view.Start(named("first")), view.Start(named("second"))
		pass(time.Second)
		view.Close()
		window.want(t, "")
		before := window.text()
		pass(time.Second)
		if window.text() != before {
			t.Errorf("it draws on: %q", window.text()[len(before):])
		}
		first.End(nil)
		second.End(errors.New("x"))
		view.Start(named("third"))
		pass(time.Second)
		window.want(t, "✓ Built first (2.0s)", "✗ Building second (2.0s)", "")
	})
}

func TestLinesFitTheTerminal(t *testing.T) {
	t.Parallel()
	for _, columns := range []int{2, 3, 10, 40, 80, 200} {
		t.Run(fmt.Sprint(columns), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				view, window := newView(true)
				window.columns = columns
				running := view.Start(progress.Step{Doing: strings.Repeat("é", 60)})
				pass(time.Second)
				synctest.Wait()
				last := window.shows(t)[0]
				if got := utf8.RuneCountInString(last); got > max(columns-1, 1) {
					t.Errorf("%d columns of %d: %q", got, columns, last)
				}
				if cut := strings.Contains(last, "…"); cut != (columns < 67) {
					t.Errorf("cut off: %v: %q", cut, last)
				}
				running.End(nil)
			})
		})
	}
}

func TestALongNameLeavesRoomForHowFarItIs(t *testing.T) {
	t.Parallel()
	const state = ": 0/2 ready, restarted 3 times, last exit code 17  5s"
	for columns, want := range map[int]string{
		40:  "* Waiting for …on-suite-01: 0/2 re…  5s",
		80:  "* Waiting for …on-suite-01" + state,
		120: "* Waiting for deployment.apps/kube…atastorage-integration-suite-01" + state,
	} {
		synctest.Test(t, func(t *testing.T) {
			view, window := newView(false)
			window.columns = columns
			running := view.Start(progress.Step{Doing: "Waiting for deployment.apps/kubernaut-workflowexecution-datastorage-integration-suite-01"})
			running.Now("0/2 ready, restarted 3 times, last exit code 17")
			pass(5 * time.Second)
			synctest.Wait()
			if got := window.shows(t)[0]; got != want {
				t.Errorf("at %d columns (%d) %q, want %q", columns, utf8.RuneCountInString(got), got, want)
			}
			running.End(nil)
		})
	}
}

func TestMoreStepsThanRowsAreCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		view, window := newView(false)
		window.rows = 5
		var all []progress.Running
		for i := range 6 {
			all = append(all, view.Start(named(fmt.Sprint(i))))
		}
		pass(time.Second)
		window.want(t, "* Building 0  1s", "* Building 1  1s", "  and 4 more")
		for _, one := range all {
			one.End(nil)
		}
	})
}

func TestTheViewHonoursNoColour(t *testing.T) {
	t.Parallel()
	for colour, want := range map[bool]bool{true: true, false: false} {
		view, window := newView(colour)
		running := view.Start(named("x"))
		running.Result("x")
		running.End(nil)
		view.Warn("z")
		if got := strings.Contains(window.text(), "\x1b["); got != want {
			t.Errorf("colour %v: %q", colour, window.text())
		}
	}
}

func TestManyNodesShareOneView(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		view, window := newView(true)
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				for range 4 {
					running := view.Start(named(fmt.Sprint(i)))
					pass(time.Duration(i) * 90 * time.Millisecond)
					view.Info("info")
					running.Result("built")
					running.End(nil)
				}
			})
		}
		all.Wait()
		synctest.Wait()
		lines := window.shows(t)
		if len(lines) != 2*4*16+1 || lines[len(lines)-1] != "" {
			t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
		}
	})
}

func TestTheViewDrawsOnlyItsOwnSequences(t *testing.T) {
	t.Parallel()
	const evil = "a\x1b[2Jb\u009b31mc\u202ed"
	synctest.Test(t, func(t *testing.T) {
		view, window := newView(false)
		running := view.Start(progress.Step{Doing: evil, Done: evil})
		running.Now(evil)
		pass(time.Second)
		view.Info(evil)
		view.Warn(evil)
		view.Output(evil, evil)
		running.End(nil)
		got := window.text()
		if strings.Contains(got, "\x1b[2J") || strings.ContainsAny(got, "\u202e\u009b") || strings.Count(got, "abc\ufffdd") < 6 {
			t.Errorf("%q", got)
		}
	})
}

func TestWhatIsSaidIsFoldedAndWhatProgramsWriteIsNot(t *testing.T) {
	t.Parallel()
	view, window := newView(true)
	window.columns = 24
	view.Warn("one two three four five")
	view.Info("one two three four five six")
	view.Output("build", "one two three four five six")
	running := view.Start(named("x"))
	running.Result("Built x: localhost/x:1 of today")
	running.End(nil)
	want := []string{
		"warning: one two three", "  four five", "  one two three four", "    five six",
		"  build | one two three four five six", "✓ Built x: localhost/x:1", "    of today", "",
	}
	if diff := cmp.Diff(want, window.shows(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLongNamesLeaveRoomForWhatProgramsWrite(t *testing.T) {
	t.Parallel()
	const suite = "kubernaut-workflowexecution-datastorage-integration-suite-"
	view, window := newView(false)
	window.columns = 80
	view.Output(suite+"01", "STEP 1/4: FROM scratch")
	view.Output(suite+"02", "STEP 1/4: FROM scratch")
	view.Output("gateway", "STEP 1/4: FROM scratch")
	// It has the ends of another.
	view.Output(suite+"-not-"+suite+"01", "done")
	want := []string{
		"  kubernaut-wor…ion-suite-01 | STEP 1/4: FROM scratch", "  kubernaut-wor…ion-suite-02 | STEP 1/4: FROM scratch",
		"  gateway | STEP 1/4: FROM scratch", "  " + suite + "-not-" + suite + "01 | done", "",
	}
	if diff := cmp.Diff(want, window.shows(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
