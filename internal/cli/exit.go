package cli

import (
	"context"
	"errors"
	"os"
	"syscall"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// Exit codes, as documented.
const (
	exitDone         = 0
	exitFailed       = 1
	exitUsage        = 2
	exitInconsistent = 3
	exitTimeout      = 124
	exitInterrupted  = 130
	exitTerminated   = 143
)

// SignalError is the cause with which main ends the context on a signal.
type SignalError struct{ Signal os.Signal }

func (e *SignalError) Error() string { return "stopped by " + signalName(e.Signal) }

// signalName is what people know a signal by.
func signalName(signal os.Signal) string {
	switch signal {
	case os.Interrupt:
		return "SIGINT"
	case syscall.SIGTERM:
		return "SIGTERM"
	}
	return signal.String()
}

// usageError marks mistakes that cobra finds in the command line.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// exitCode tells what kind of end err is. The signal comes first: whatever else
// went wrong then is its consequence.
func exitCode(err error) int {
	var stopped *SignalError
	var timeout *e2eimage.TimeoutError
	var inconsistent *e2eimage.InconsistentError
	var usage *e2eimage.UsageError
	var input *config.UsageError
	var argv *usageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &stopped):
		if stopped.Signal == syscall.SIGTERM {
			return exitTerminated
		}
		return exitInterrupted
	case errors.As(err, &timeout), errors.Is(err, context.DeadlineExceeded):
		return exitTimeout
	case errors.As(err, &inconsistent):
		return exitInconsistent
	case errors.As(err, &usage), errors.As(err, &input), errors.As(err, &argv):
		return exitUsage
	}
	return exitFailed
}
