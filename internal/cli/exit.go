package cli

import (
	"errors"
	"os"
	"syscall"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// Exit codes, as documented. Those of 1 and more but signals are e2eimage.ExitCode's.
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
// went wrong then is its consequence. All else is the library's to tell.
func exitCode(err error) int {
	var stopped *SignalError
	var argv *usageError
	code := e2eimage.ExitCode(err)
	switch {
	case errors.As(err, &stopped):
		if stopped.Signal == syscall.SIGTERM {
			return exitTerminated
		}
		return exitInterrupted
	case code == exitFailed && errors.As(err, &argv):
		return exitUsage
	}
	return code
}
