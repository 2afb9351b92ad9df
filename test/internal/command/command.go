// Package command runs child processes for the test cluster: argv only, always
// bounded by a context, and with an error that carries the argv and the tail of
// the output. It must not know what it runs, and it never goes through a shell.
package command

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// killGrace is how long a cancelled child may go on after SIGTERM before it is
// killed: package managers and debootstrap need it to leave a sane state.
const killGrace = 10 * time.Second

// Cmd is one child process. The zero values of everything but Argv are usable.
type Cmd struct {
	Argv []string
	// Path is the file to run, by default the first word of Argv.
	Path string
	// Dir is the working folder, by default the caller's.
	Dir string
	// Env is added to the caller's environment.
	Env    []string
	Stdin  io.Reader
	Stdout io.Writer
	// Watch gets a copy of standard error, and of standard output unless
	// Stdout takes that.
	Watch io.Writer
}

// Error says which command failed, how, and what it last printed.
type Error struct {
	Argv   []string
	Output string
	Err    error
}

// Error implements error.
func (e *Error) Error() string {
	line := strings.Join(e.Argv, " ")
	if e.Output == "" {
		return fmt.Sprintf("%s: %v", line, e.Err)
	}
	return fmt.Sprintf("%s: %v\n%s", line, e.Err, indent(e.Output))
}

// Unwrap gives the error of os/exec, or the context's.
func (e *Error) Unwrap() error { return e.Err }

// New is a Cmd with nothing but its argv.
func New(argv ...string) Cmd { return Cmd{Argv: argv} }

// Run runs argv and discards what it prints, unless it fails.
func Run(ctx context.Context, argv ...string) error { return New(argv...).Run(ctx) }

// Output runs argv and returns its standard output.
func Output(ctx context.Context, argv ...string) (string, error) {
	return New(argv...).Output(ctx)
}

// Output runs the command and returns its standard output.
func (c Cmd) Output(ctx context.Context) (string, error) {
	var out bytes.Buffer
	c.Stdout = &out
	err := c.Run(ctx)
	return out.String(), err
}

// Run runs the command to its end. Cancelling ctx ends the whole process group,
// because a compiler or package manager does its work in grandchildren.
func (c Cmd) Run(ctx context.Context) error {
	last := &tail{}
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	if c.Path != "" {
		cmd.Path, cmd.Err = c.Path, nil
	}
	cmd.Dir = c.Dir
	if len(c.Env) > 0 {
		cmd.Env = append(os.Environ(), c.Env...)
	}
	cmd.Stdin = c.Stdin
	cmd.Stderr = last
	if c.Watch != nil {
		cmd.Stderr = io.MultiWriter(last, c.Watch)
	}
	cmd.Stdout = c.Stdout
	if c.Stdout == nil {
		cmd.Stdout = cmd.Stderr
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = killGrace
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		if cmd.Process != nil {
			// What ignored SIGTERM for the whole grace period; a group
			// that is gone is no error.
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
		err = context.Cause(ctx)
	}
	return &Error{Argv: c.Argv, Output: last.String(), Err: err}
}

func indent(text string) string {
	return "\t" + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n\t")
}
