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

func nodes() Step { return Step{Doing: "Checking 3 nodes", Done: "Checked 3 nodes"} }

func TestLinesAreWrittenWhenAStepEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		report := NewLines(&out, Steps)
		checking := report.Start(nodes())
		if out.Len() > 0 {
			t.Errorf("a line at the start: %q", out.String())
		}
		report.Info("Node n1 had lost it")
		pass(1234 * time.Millisecond)
		checking.End(nil)
		report.Warn("something stays")
		const want = "Node n1 had lost it\nChecked 3 nodes (1.2s)\nwarning: something stays\n"
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// Each detail is told the same.
func TestLinesTellAsMuchAsTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	for detail, want := range map[Detail]string{
		Warnings: "warning: careful\n",
		Steps:    "Built x\na | STEP 1\nadded\nwarning: careful\n",
		AllSteps: "Checked 3 nodes\nBuilt x\na | STEP 1\nadded\nwarning: careful\n",
	} {
		var out bytes.Buffer
		report := NewLines(&out, detail)
		report.Start(nodes()).End(nil)
		building := report.Start(Step{Doing: "Building x"})
		building.Result("Built x")
		building.End(nil)
		if shown := report.Output("a", "STEP 1"); shown != (detail > Warnings) {
			t.Errorf("%d: it says that output is shown: %v", detail, shown)
		}
		report.Info("added")
		report.Warn("careful")
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("%d (-want +got):\n%s", detail, diff)
		}
	}
}

func TestLinesSayNowAndThenHowFarALongStepIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		waiting := NewLines(&out, Steps).Start(Step{Doing: "Waiting for deployment.apps/x", Done: "deployment.apps/x is ready"})
		for _, now := range []struct {
			after time.Duration
			state string
		}{{time.Second, "0/3 ready"}, {10 * time.Second, "1/3 ready"}, {time.Second, "2/3 ready"}, {10 * time.Second, "1/3 ready"}, {time.Second, "2/3 ready"}} {
			pass(now.after)
			waiting.Now(now.state)
		}
		waiting.End(nil)
		const want = "Waiting for deployment.apps/x: 0/3 ready (10s)\nWaiting for deployment.apps/x: 2/3 ready (20s)\ndeployment.apps/x is ready (23s)\n"
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestLinesLeaveFailuresToTheError(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	building := NewLines(&out, AllSteps).Start(nodes())
	building.Result("Built x")
	building.End(errors.New("x"))
	if out.Len() > 0 {
		t.Errorf("%q", out.String())
	}
}

func TestLinesTakeMessagesAsTheyAre(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	report := NewLines(&out, AllSteps)
	report.Start(Step{Done: "100%d"}).End(nil)
	report.Info("50%s")
	if got := out.String(); got != "100%d\n50%s\n" {
		t.Errorf("%q", got)
	}
}

func TestLinesOfManyNodesDoNotMix(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	report := NewLines(&out, AllSteps)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			running := report.Start(Step{Done: fmt.Sprintf("step %d", i)})
			report.Info("info")
			report.Warn("warn")
			running.End(nil)
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

func TestNumbersAreWrittenForPeople(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_951: "1.0 MB", 602_000_000: "602.0 MB", 2_000_000_000: "2.0 GB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0.0s", 1234567890: "1.2s", 9940 * time.Millisecond: "9.9s", 9951 * time.Millisecond: "10s", 125400 * time.Millisecond: "2m5s",
	} {
		if got := Elapsed(d); got != want {
			t.Errorf("%d is %s, want %s", d, got, want)
		}
	}
}

func TestDiscardSaysNothing(t *testing.T) {
	t.Parallel()
	var report Reporter = Discard{}
	running := report.Start(nodes())
	running.Now("x")
	running.Result("x")
	running.End(nil)
	if report.Output("", "x") {
		t.Error("it says that output is shown")
	}
}

func TestLinesAreHarmless(t *testing.T) {
	t.Parallel()
	const evil = "a\x1b[2Jb\u009b31mc\u202ed"
	var out bytes.Buffer
	report := NewLines(&out, AllSteps)
	report.Start(Step{Done: evil}).End(nil)
	report.Info(evil)
	report.Warn(evil)
	report.Output(evil, evil)
	if got := out.String(); strings.ContainsAny(got, "\x1b\r\u202e\u009b") || strings.Count(got, "abc\ufffdd") != 5 {
		t.Errorf("%q", got)
	}
}
