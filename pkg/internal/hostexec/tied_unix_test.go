//go:build unix

package hostexec

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// roleVariable makes the test binary the one that runs a command and does not come to
// an end by itself.
const roleVariable = "HOSTEXEC_TEST_RUNS"

func TestTiedCommandsEndWithTheProcessThatRunsThem(t *testing.T) {
	if os.Getenv(roleVariable) != "" {
		// Its child ignores what the leader of the group may not even pass on.
		script := `(trap "" TERM HUP; echo started; exec sleep 600) & wait`
		err := Host{}.Run(t.Context(), Command{Argv: []string{"/bin/sh", "-c", script}, Stdout: os.Stdout, Grace: time.Second, Tied: true})
		t.Fatalf("it ended: %v", err)
	}
	for name, test := range map[string]struct {
		args []string
		end  func(*os.Process) error
	}{
		"killed":     {nil, (*os.Process).Kill},
		"timed out":  {[]string{"-test.timeout=1s"}, func(*os.Process) error { return nil }},
		"terminated": {nil, func(p *os.Process) error { return p.Signal(os.Interrupt) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			runs := exec.CommandContext(t.Context(), os.Args[0], append(test.args, "-test.run=^TestTiedCommandsEndWithTheProcessThatRunsThem$")...)
			runs.Env, runs.Stdout = append(os.Environ(), roleVariable+"=1"), writer
			if err := errors.Join(runs.Start(), writer.Close(), reader.SetReadDeadline(time.Now().Add(time.Minute))); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewReader(reader)
			if line, err := lines.ReadString('\n'); line != "started\n" || err != nil {
				t.Fatalf("%q, %v", line, err)
			}
			if err := test.end(runs.Process); err != nil {
				t.Fatal(err)
			}
			_ = runs.Wait() // it did not end well
			// All have the pipe's other end: the last of them lets go of it.
			if _, err := io.Copy(io.Discard, lines); err != nil {
				t.Errorf("something goes on: %v", err)
			}
		})
	}
}

func TestATiedCommandIsCancelledAsAGroup(t *testing.T) {
	t.Parallel()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Host{}.Run(ctx, Command{Argv: []string{"/bin/sh", "-c", "sleep 600 & echo started; wait"}, Stdout: writer, Tied: true})
		_ = writer.Close()
	}()
	lines := bufio.NewReader(reader)
	if line, err := lines.ReadString('\n'); line != "started\n" || err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	cancel()
	if err := errors.Join(reader.SetReadDeadline(time.Now().Add(time.Minute)), <-done); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := io.Copy(io.Discard, lines); err != nil {
		t.Errorf("something goes on: %v", err)
	}
}

func TestTiedCommandsThatEndAreUntied(t *testing.T) {
	t.Parallel()
	if err := (Host{}).Run(t.Context(), Command{Argv: []string{"/bin/sh", "-c", "exit 3"}, Tied: true}); err == nil || err.(*CommandError).ExitCode() != 3 {
		t.Errorf("error %v", err)
	}
	if err := (Host{}).Run(t.Context(), Command{Argv: []string{"/no/such/program"}, Tied: true}); err == nil {
		t.Error("what is not there ended well")
	}
}
