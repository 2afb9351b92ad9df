package kindnode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Command is one command on the host.
type Command struct {
	// Argv is the program and its arguments; no shell is involved.
	Argv   []string
	Stdin  io.Reader
	Stdout io.Writer
}

// Runner runs commands on the host.
type Runner interface {
	Run(ctx context.Context, command Command) error
}

// Host runs commands as processes of this host, each in a process group of its
// own: a Ctrl-C in the terminal reaches only us, and what happens to a node
// operation is then our decision.
type Host struct{}

var _ Runner = Host{}

// killGrace is how long a cancelled process may go on after SIGTERM.
const killGrace = 2 * time.Second

// Run implements Runner. When the command fails, the error is a *CommandError.
func (Host) Run(ctx context.Context, command Command) error {
	process := exec.CommandContext(ctx, command.Argv[0], command.Argv[1:]...)
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	process.Cancel = func() error { return syscall.Kill(-process.Process.Pid, syscall.SIGTERM) }
	process.WaitDelay = killGrace
	stderr := &tail{limit: 4 << 10}
	process.Stdin, process.Stdout, process.Stderr = command.Stdin, command.Stdout, stderr
	err := process.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return &CommandError{Argv: command.Argv, Stderr: stderr.String(), Err: err}
}

// CommandError is a command on the host that failed.
type CommandError struct {
	Argv   []string
	Stderr string
	Err    error
}

// Error names the program and what it said. The whole argv would be a script of
// ours that helps nobody; it stays available in the field.
func (e *CommandError) Error() string {
	shown := e.Argv
	if len(shown) > 4 {
		shown = append(append([]string{}, shown[:4]...), "…")
	}
	message := fmt.Sprintf("%s: %v", strings.Join(shown, " "), e.Err)
	if said := withoutWarnings(e.Stderr); said != "" {
		message += ": " + said
	}
	return message
}

// withoutWarnings drops the warnings that ctr prints before every answer, such
// as the deprecation of cgroup v1: they are never the cause.
func withoutWarnings(stderr string) string {
	var kept strings.Builder
	for line := range strings.Lines(stderr) {
		if !strings.Contains(line, "level=warning") {
			kept.WriteString(line)
		}
	}
	return strings.TrimSpace(kept.String())
}

// Unwrap returns what the operating system or the context said.
func (e *CommandError) Unwrap() error { return e.Err }

// ExitCode returns the exit code of the command, or -1 when it did not exit.
func (e *CommandError) ExitCode() int {
	var exit *exec.ExitError
	if errors.As(e.Err, &exit) {
		return exit.ExitCode()
	}
	return -1
}

// tail keeps the last bytes written to it: a failing command may write without
// end, and what counts comes last.
type tail struct {
	limit int
	kept  bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept.Write(p)
	if over := t.kept.Len() - t.limit; over > 0 {
		t.kept.Next(over)
	}
	return len(p), nil
}

func (t *tail) String() string { return t.kept.String() }
