package progress

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestEachEventIsTold(t *testing.T) {
	t.Parallel()
	var told []Event
	report := Tell(func(e Event) { told = append(told, e) })
	checking := report.Start(Step{Doing: "Checking 3 nodes", Done: "Checked 3 nodes"})
	checking.Now("1/3")
	checking.End(nil)
	copying := report.Start(Step{Doing: "Copying a"})
	copying.Result("Copied a")
	copying.End(nil)
	cut := report.Start(Step{Doing: "Copying b"})
	failed := errors.New("interrupted")
	cut.Result("never")
	cut.End(failed)
	if shown := report.Output("a", "STEP 1"); !shown {
		t.Error("a line that was told is not shown")
	}
	report.Info("x created")
	report.Warn("y is old")
	want := []Event{
		{Kind: Started, Step: Step{"Checking 3 nodes", "Checked 3 nodes"}},
		{Kind: Going, Step: Step{"Checking 3 nodes", "Checked 3 nodes"}, Text: "1/3"},
		{Kind: Done, Step: Step{"Checking 3 nodes", "Checked 3 nodes"}},
		{Kind: Started, Step: Step{Doing: "Copying a"}},
		{Kind: Done, Step: Step{Doing: "Copying a"}, Text: "Copied a"},
		{Kind: Started, Step: Step{Doing: "Copying b"}},
		{Kind: Cut, Step: Step{Doing: "Copying b"}, Err: failed},
		{Kind: Output, Image: "a", Text: "STEP 1"},
		{Kind: Info, Text: "x created"},
		{Kind: Warning, Text: "y is old"},
	}
	if diff := cmp.Diff(want, told, cmpopts.IgnoreFields(Event{}, "Took"), cmpopts.EquateErrors()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnEventIsALine(t *testing.T) {
	t.Parallel()
	step := Step{"Copying a", "Copied a"}
	for want, e := range map[string]Event{
		"Copying a":                      {Kind: Started, Step: step},
		"Copying a: 5 MB of 9 MB (2.0s)": {Kind: Going, Step: step, Text: "5 MB of 9 MB", Took: 2 * time.Second},
		"Copied a (2.0s)":                {Kind: Done, Step: step, Took: 2 * time.Second},
		"Copied a to 3 nodes":            {Kind: Done, Step: step, Text: "Copied a to 3 nodes"},
		"Copying b: done":                {Kind: Done, Step: Step{Doing: "Copying b"}},
		"Copying a: cut after 2.0s":      {Kind: Cut, Step: step, Took: 2 * time.Second, Err: errors.New("x")},
		"a: STEP 1":                      {Kind: Output, Image: "a", Text: "STEP 1"},
		"warning: y is old":              {Kind: Warning, Text: "y is old"},
		"x created":                      {Kind: Info, Text: "x created"},
	} {
		if got := e.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestEventsComeOneAtATime(t *testing.T) {
	t.Parallel()
	count := 0
	report := Tell(func(Event) { count++ })
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			s := report.Start(Step{})
			s.Now("x")
			s.End(nil)
			report.Info("y")
		})
	}
	all.Wait()
	if count != 200 {
		t.Errorf("%d events", count)
	}
}

// grown is what a user wrote before a method was added.
type grown struct{ Discard }

func TestAReporterOfAUserHasMethodsThatWereAdded(t *testing.T) {
	t.Parallel()
	var report Reporter = grown{}
	report.Start(Step{}).End(nil)
	report.Warn("x")
}
