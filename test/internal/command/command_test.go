package command

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestErrorCarriesArgvAndOutput(t *testing.T) {
	err := Run(t.Context(), "ls", "/does/not/exist")
	var failed *Error
	if !errors.As(err, &failed) {
		t.Fatalf("%T: %v", err, err)
	}
	if got := strings.Join(failed.Argv, " "); got != "ls /does/not/exist" {
		t.Errorf("argv %q", got)
	}
	if !strings.Contains(err.Error(), "/does/not/exist") || !strings.Contains(failed.Output, "No such file") {
		t.Errorf("error does not say what happened: %v", err)
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Errorf("the cause is lost: %v", err)
	}
}

func TestCancelEndsTheProcess(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := Run(ctx, "sleep", "60")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > killGrace {
		t.Errorf("took %s", took)
	}
}

func TestOutputIsOnlyStandardOutput(t *testing.T) {
	var watched strings.Builder
	out, err := Cmd{Argv: []string{"echo", "x"}, Watch: &watched}.Output(t.Context())
	if err != nil || out != "x\n" || watched.String() != "" {
		t.Errorf("got %q, watched %q, %v", out, watched.String(), err)
	}
}

func TestWatchSeesBothStreams(t *testing.T) {
	var watched strings.Builder
	if err := (Cmd{Argv: []string{"echo", "x"}, Watch: &watched}).Run(t.Context()); err != nil || watched.String() != "x\n" {
		t.Errorf("watched %q, %v", watched.String(), err)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var last tail
	for range tailBytes {
		_, _ = last.Write([]byte("line\n"))
	}
	_, _ = last.Write([]byte("the end\n"))
	got := last.String()
	if len(got) > tailBytes || !strings.HasPrefix(got, "line\n") || !strings.HasSuffix(got, "\nthe end") {
		t.Errorf("%d bytes: %.20q … %.20q", len(got), got, got[len(got)-20:])
	}
}
