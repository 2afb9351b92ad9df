package e2eimage

import "fmt"

// Error is one finding: what went wrong, as data. errors.As finds the gravest of those in a
// verb's error, and Errors returns all.
type Error struct {
	Code Code
	// Image is its NAME in e2eimage.yaml; Node, Namespace and Workload, as KIND/NAME, are
	// where it shows. Each may be empty.
	Image, Node, Namespace, Workload string
	// Fix is what to do about it, mostly a command to type. May be empty.
	Fix string
	// Rollout is set where Code is CodeRollout.
	Rollout *RolloutError
	// Err has the message, which says Fix, too.
	Err error

	// least is the exit code of the error that the finding is part of.
	least int
}

func (e *Error) Error() string {
	if e.Err == nil {
		return string(e.Code)
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// As lets errors.As find Rollout.
func (e *Error) As(target any) bool {
	found, ok := target.(**RolloutError)
	if ok = ok && e.Rollout != nil; ok {
		*found = e.Rollout
	}
	return ok
}

// ExitCode is what a process ends with because of this finding, from 1 on.
func (e *Error) ExitCode() int { return max(e.Code.exit(), e.least) }

// says puts a finding into words, with the fix on lines of its own.
func (e *Error) says(format string, args ...any) *Error {
	e.Err = fmt.Errorf(format, args...)
	if e.Fix != "" {
		e.Err = fmt.Errorf("%w\n%s", e.Err, e.Fix)
	}
	return e
}

// imageError says which image an error is about.
type imageError struct {
	name string
	err  error
}

func (e *imageError) Error() string { return e.name + ": " + e.err.Error() }

func (e *imageError) Unwrap() error { return e.err }

// verbError is what a verb returns: it lets errors.As find the findings in an error.
type verbError struct{ err error }

func (e *verbError) Error() string { return e.err.Error() }

func (e *verbError) Unwrap() error { return e.err }

// As finds the gravest finding, and the first rollout that failed.
func (e *verbError) As(target any) bool {
	switch target := target.(type) {
	case **Error:
		*target = gravest(Errors(e.err))
		return true
	case **RolloutError:
		for _, one := range Errors(e.err) {
			if one.As(target) {
				return true
			}
		}
	}
	return false
}
