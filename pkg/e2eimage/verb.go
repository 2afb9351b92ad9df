package e2eimage

import (
	"context"
	"errors"
)

// verb carries a verb out, once its input is right. Its error is classified here, once.
func verb[In input, Out any](ctx context.Context, in In,
	carryOut func(context.Context, In) (*Out, error),
) (*Out, error) {
	var found mistakes
	in.check(&found)
	if err := errors.Join(found.all...); err != nil {
		return nil, &verbError{&UsageError{err}}
	}
	out, err := carryOut(ctx, in)
	if err != nil {
		err = &verbError{ended(ctx, classify(err))}
	}
	return out, err
}

// ended is a verb's error where the caller's context has ended: errors.Is finds the cause
// that it was given as well as context.Canceled or DeadlineExceeded, and a deadline is a
// *TimeoutError. What does not agree stays what it is.
func ended(ctx context.Context, err error) error {
	end := ctx.Err()
	if err == nil || end == nil {
		return err
	}
	if late := errors.Is(end, context.DeadlineExceeded); late && (as[*UsageError](err) || as[*InconsistentError](err)) {
		return err
	} else if late && !as[*TimeoutError](err) {
		err = &TimeoutError{err}
	}
	for _, how := range []error{context.Cause(ctx), end} {
		if !errors.Is(err, how) {
			err = &endedError{err, how}
		}
	}
	return err
}

// endedError is an error, and how the context ended.
type endedError struct{ err, end error }

func (e *endedError) Error() string { return e.err.Error() }

func (e *endedError) Unwrap() []error { return []error{e.err, e.end} }
