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

	"github.com/google/go-cmp/cmp"
)

// pass lets time pass in the bubble of a synctest: its clock jumps, nobody waits.
func pass(d time.Duration) { time.Sleep(d) }

func TestLinesAreWrittenWhenAStepEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		report := NewLines(&out)
		end := report.Start("ask 3 nodes")
		if out.Len() > 0 {
			t.Errorf("a line at the start: %q", out.String())
		}
		report.Info("node n1 had lost it; healed")
		pass(1234 * time.Millisecond)
		end(nil)
		report.Warn("something stays")
		const want = "node n1 had lost it; healed\nask 3 nodes (1.23s)\nwarning: something stays\n"
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestLinesLeaveFailuresToTheError(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	NewLines(&out).Start("ask 3 nodes")(errors.New("x"))
	if out.Len() > 0 {
		t.Errorf("%q", out.String())
	}
}

func TestLinesTakeMessagesAsTheyAre(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	report := NewLines(&out)
	report.Start("100%d")(nil)
	report.Info("50%s")
	if got := out.String(); !strings.HasPrefix(got, "100%d (") || !strings.HasSuffix(got, "\n50%s\n") {
		t.Errorf("%q", got)
	}
}

func TestLinesOfManyNodesDoNotMix(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	report := NewLines(&out)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			end := report.Start(fmt.Sprintf("step %d", i))
			report.Info("info")
			report.Warn("warn")
			end(nil)
		})
	}
	all.Wait()
	if got := strings.Count(out.String(), "\n"); got != 3*16 {
		t.Errorf("%d lines", got)
	}
	if strings.ContainsAny(out.String(), "\x1b\r") {
		t.Errorf("control characters: %q", out.String())
	}
}

func TestALineSaysWhatWasTransferred(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		report := NewLines(&out)
		moved, nothing, failed := report.Transfer("n1", 0), report.Transfer("n2", 0), report.Transfer("n3", 9)
		moved.Add(1_000_000)
		moved.Add(500_000)
		failed.Add(3)
		pass(2 * time.Second)
		for transfer, err := range map[Transfer]error{moved: nil, nothing: nil, failed: errors.New("x")} {
			transfer.End(err)
		}
		if want := "  n1: 1.5 MB (2s, 750.0 kB/s)\n"; out.String() != want {
			t.Errorf("%q, want %q", out.String(), want)
		}
	})
}

func TestBytesAreWrittenForPeople(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_951: "1.0 MB", 602_000_000: "602.0 MB", 2_000_000_000: "2.0 GB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

func TestDiscardSaysNothing(t *testing.T) {
	t.Parallel()
	var report Reporter = Discard{}
	report.Start("x")(nil)
	report.Info("x")
	report.Warn("x")
}

func TestLinesAreHarmless(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	report := NewLines(&out)
	tellEvil(report)
	if got := out.String(); strings.ContainsAny(got, "\x1b\r\u202e\u009b") || strings.Count(got, "abc\ufffdd") != 4 {
		t.Errorf("%q", got)
	}
}

// tellEvil tells what acts on a terminal in every way there is.
func tellEvil(report Reporter) {
	const evil = "a\x1b[2Jb\u009b31mc\u202ed"
	report.Start(evil)(nil)
	report.Info(evil)
	report.Warn(evil)
	transfer := report.Transfer(evil, 9)
	transfer.Add(9)
	transfer.End(nil)
}
