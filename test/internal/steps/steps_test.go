package steps

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestDoTellsProgress(t *testing.T) {
	var log strings.Builder
	err := do(t.Context(), &log, "work", time.Millisecond, func(context.Context) error {
		<-time.After(20 * time.Millisecond)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"work …\n", " so far\n", "work: done in "} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in:\n%s", want, log.String())
		}
	}
}

func TestDoReturnsTheError(t *testing.T) {
	cause := errors.New("cause")
	var log strings.Builder
	err := Do(t.Context(), &log, "work", func(context.Context) error { return cause })
	if !errors.Is(err, cause) || !strings.Contains(log.String(), "work: failed after ") {
		t.Errorf("got %v and:\n%s", err, log.String())
	}
}
