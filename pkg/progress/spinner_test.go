package progress

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// terminal keeps what is written to it; it can be looked at meanwhile.
type terminal struct {
	mu      sync.Mutex
	written bytes.Buffer
}

func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.written.Write(p)
}

func (t *terminal) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.written.String()
}

// screen returns what a terminal shows after it was sent text: the lines, of
// which the last is where the cursor stands. Colours are left out.
func screen(t *testing.T, text string) []string {
	t.Helper()
	lines := []string{""}
	for text != "" {
		last := len(lines) - 1
		switch {
		case strings.HasPrefix(text, clearLine):
			lines[last], text = "", text[len(clearLine):]
		case strings.HasPrefix(text, "\x1b["):
			_, rest, ended := strings.Cut(text, "m")
			if !ended {
				t.Fatalf("unknown control sequence %q", text)
			}
			text = rest
		case text[0] == '\n':
			lines, text = append(lines, ""), text[1:]
		default:
			_, size := utf8.DecodeRuneInString(text)
			lines[last], text = lines[last]+text[:size], text[size:]
		}
	}
	return lines
}

func TestTheSpinnerLeavesNoLineBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out terminal
		report := NewSpinner(&out, 80, true)
		first, second := report.Start("ask 3 nodes"), report.Start("wait for deployment.apps/x")
		pass(time.Second)
		report.Info("healed")
		first(nil)
		pass(time.Second)
		report.Warn("something stays")
		second(errors.New("x"))
		pass(time.Second)
		want := []string{
			"  healed", "✓ ask 3 nodes (1s)", "warning: something stays", "✗ wait for deployment.apps/x (2s)", "",
		}
		if diff := cmp.Diff(want, screen(t, out.String())); diff != "" {
			t.Errorf("the screen at the end (-want +got):\n%s", diff)
		}
	})
}

func TestTheSpinnerTurnsWhileAStepRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out terminal
		report := NewSpinner(&out, 80, false)
		end := report.Start("ask 3 nodes")
		seen := map[string]bool{}
		for range len(frames) {
			synctest.Wait()
			lines := screen(t, out.String())
			seen[lines[len(lines)-1]] = true
			pass(interval)
		}
		end(nil)
		if len(seen) != len(frames) {
			t.Errorf("%d different frames, want %d", len(seen), len(frames))
		}
		// A bubble that is left with a goroutine in it fails the test.
	})
}

func TestTheSpinnerShowsTheNewestStepThatRuns(t *testing.T) {
	t.Parallel()
	var out terminal
	report := NewSpinner(&out, 80, false)
	first, second := report.Start("first"), report.Start("second")
	shown := func() string {
		text := out.String()
		return text[strings.LastIndex(text, clearLine):]
	}
	if !strings.Contains(shown(), "second") {
		t.Errorf("shown %q", shown())
	}
	second(nil)
	if !strings.Contains(shown(), "first") {
		t.Errorf("shown %q", shown())
	}
	first(nil)
}

func TestTheSpinnerCutsToTheWidth(t *testing.T) {
	t.Parallel()
	for _, width := range []int{2, 3, 10, 40} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			t.Parallel()
			var out terminal
			report := NewSpinner(&out, width, true)
			end := report.Start(strings.Repeat("é", 60))
			lines := screen(t, out.String())
			end(nil)
			running := lines[len(lines)-1]
			if got := utf8.RuneCountInString(running); got != width-1 || !strings.HasSuffix(running, "…") {
				t.Errorf("%d columns of %d: %q", got, width, running)
			}
		})
	}
}

func TestTheSpinnerDoesNotCutWhatFits(t *testing.T) {
	t.Parallel()
	for _, width := range []int{0, 12, 80} {
		var out terminal
		end := NewSpinner(&out, width, false).Start("ask nodes")
		if lines := screen(t, out.String()); !strings.HasSuffix(lines[0], " ask nodes") {
			t.Errorf("width %d: %q", width, lines[0])
		}
		end(nil)
	}
}

func TestTheSpinnerHonoursNoColour(t *testing.T) {
	t.Parallel()
	for colour, want := range map[bool]bool{true: true, false: false} {
		var out terminal
		report := NewSpinner(&out, 80, colour)
		report.Start("x")(nil)
		report.Start("y")(errors.New("x"))
		report.Warn("z")
		if got := strings.Contains(strings.ReplaceAll(out.String(), clearLine, ""), "\x1b["); got != want {
			t.Errorf("colour %v: %q", colour, out.String())
		}
	}
}

func TestManyNodesShareOneSpinner(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out terminal
		report := NewSpinner(&out, 80, true)
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				for range 4 {
					end := report.Start(fmt.Sprintf("step %d", i))
					pass(time.Duration(i) * 30 * time.Millisecond)
					report.Info("info")
					end(nil)
				}
			})
		}
		all.Wait()
		synctest.Wait()
		lines := screen(t, out.String())
		if len(lines) != 2*4*16+1 || lines[len(lines)-1] != "" {
			t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
		}
	})
}

func TestTransfersAreBarsThatEnd(t *testing.T) {
	t.Parallel()
	var out terminal
	report := NewSpinner(&out, 80, false)
	end := report.Start("load x")
	first, second := report.Transfer("node-1", 100), report.Transfer("node-2", 0)
	first.Add(100)
	second.Add(50)
	report.Info("in between")
	first.End(nil)
	second.End(errors.New("x"))
	end(nil)
	text := out.String()
	for _, want := range []string{"node-1", "node-2", "in between", "✓ load x"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not there: %q", want, text)
		}
	}
}

func TestTheSpinnerDrawsOnlyItsOwnSequences(t *testing.T) {
	t.Parallel()
	var out terminal
	tellEvil(NewSpinner(&out, 80, false))
	got := out.String()
	if strings.Contains(got, "\x1b[2J") || strings.ContainsAny(got, "\u202e\u009b") || strings.Count(got, "abc\ufffdd") < 4 {
		t.Errorf("%q", got)
	}
}
