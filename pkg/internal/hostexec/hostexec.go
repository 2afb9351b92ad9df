// Package hostexec runs the host's commands, such as docker and podman. A command gets an
// argument list, never a line for a shell, and ends with its context. If it fails, the error
// has what it said. A command that is Tied also ends if this process is killed: a small shell
// script watches over it. The package must not know any of the commands.
package hostexec

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"

	"k8s.io/klog/v2"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
)

// Command is one command on the host.
type Command struct {
	// Argv is the program and its arguments; no shell is involved.
	Argv   []string
	Stdin  io.Reader
	Stdout io.Writer
	// Stderr gets what the command says while it says it; nil for nobody. The
	// end of it is in the error either way.
	Stderr io.Writer
	// Env are variables on top of this process's own, KEY=VALUE: what must not
	// stand in an argument, which every user of the host can see.
	Env []string
	// Dir is the working folder, "" for this process's own.
	Dir string
	// Grace is how long a cancelled command may clean up after SIGTERM; 0 is
	// KillGrace.
	Grace time.Duration
	// Tied commands end with this process, with all that they started: nobody else
	// would end what builds for minutes.
	Tied bool
}

// Runner runs commands on the host.
type Runner interface {
	Run(ctx context.Context, command Command) error
}

// Host runs commands as processes of this host, each in a process group of its
// own: a Ctrl-C in the terminal reaches only us, and what happens to a node
// operation is then our decision.
type Host struct {
	// Env are variables on top of this process's own, KEY=VALUE, for all commands.
	Env []string
}

var _ Runner = Host{}

// KillGrace is how long a cancelled process may go on after SIGTERM.
const KillGrace = 2 * time.Second

// Run implements Runner. When the command fails, the error is a *CommandError.
func (h Host) Run(ctx context.Context, command Command) error {
	process := exec.CommandContext(ctx, command.Argv[0], command.Argv[1:]...)
	process.WaitDelay = cmp.Or(command.Grace, KillGrace)
	group := newGroup(ctx, process, command.Tied)
	defer group.close()
	stderr := &tail{limit: 4 << 10}
	process.Stdin, process.Stdout, process.Stderr = command.Stdin, command.Stdout, stderr
	if command.Stderr != nil {
		process.Stderr = io.MultiWriter(stderr, command.Stderr)
	}
	process.Dir = command.Dir
	if len(h.Env)+len(command.Env) > 0 {
		process.Env = slices.Concat(process.Environ(), h.Env, command.Env)
	}
	begun := time.Now()
	err := process.Start()
	if err == nil {
		group.started(process.Process)
		err = process.Wait()
	}
	klog.FromContext(ctx).V(6).Info("command", "argv", shortened(command.Argv), "took", since(begun))
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

// Error names the program and what it said.
func (e *CommandError) Error() string {
	message := fmt.Sprintf("%s: %v", shortened(e.Argv), e.Err)
	if said := foreign.Masked(withoutWarnings(e.Stderr)); said != "" {
		message += ": " + said
	}
	return message
}

// shortened is the beginning of a command line: the whole would be a script of
// ours that helps nobody.
func shortened(argv []string) string {
	if len(argv) > 4 {
		argv = append(slices.Clone(argv[:4]), "…")
	}
	return strings.Join(argv, " ")
}

// since is how long something took, for people.
func since(begun time.Time) time.Duration { return time.Since(begun).Round(100 * time.Microsecond) }

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
