package e2eimage

import "errors"

// UsageError says that the input cannot be acted upon. Exit code 2.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UsageError) Unwrap() error { return e.Err }

// InconsistentError says that record, nodes and workloads do not agree, and
// which ones. Exit code 3.
type InconsistentError struct{ Err error }

func (e *InconsistentError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *InconsistentError) Unwrap() error { return e.Err }

// TimeoutError says that something did not come true in time. Exit code 124.
type TimeoutError struct{ Err error }

func (e *TimeoutError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *TimeoutError) Unwrap() error { return e.Err }

// UndoneError says what a run of Tag or Up that failed or was stopped has taken back. What
// else it did stays.
type UndoneError struct {
	// Images are the recorded images that were decided in this run, as repository:tag. Nodes
	// and records do not have them any more.
	Images []string
	Err    error
}

func (e *UndoneError) Error() string { return e.Err.Error() }

// Unwrap returns why it was taken back.
func (e *UndoneError) Unwrap() error { return e.Err }

// classify gives an error the type of its kind, which its exit code tells.
func classify(err error) error {
	switch exit := ExitCode(err); {
	case exit == exitUsage && !as[*UsageError](err):
		return &UsageError{err}
	case exit == exitInconsistent && !as[*InconsistentError](err):
		return &InconsistentError{err}
	case exit == exitTimeout && !as[*TimeoutError](err):
		return &TimeoutError{err}
	}
	return err
}

func as[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}
