package e2eimage

import (
	"context"
	"errors"
	"reflect"
	"slices"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/apply"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/manifest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/rollout"
)

// Errors returns all findings in an error, in the order in which it says them: one for
// each image, workload or mistake. There is at least one unless err is nil.
func Errors(err error) []*Error {
	found := findings(err)
	if err != nil && len(found) == 0 {
		return []*Error{{Code: CodeFailed, Err: err}}
	}
	return found
}

// findings are what is known of an error, none where that is nothing.
func findings(err error) []*Error {
	if err == nil {
		return nil
	}
	if found := ofType(err); found != nil {
		if found.Err == nil {
			found.Err = err
		}
		found.least = max(found.least, kindOf(err).exit())
		return []*Error{found}
	}
	switch e := err.(type) {
	case *UsageError:
		return ofKind(CodeUsage, err, e.Err)
	case *InconsistentError:
		return ofKind(CodeInconsistent, err, e.Err)
	case *TimeoutError:
		return ofKind(CodeTimeout, err, e.Err)
	case *endedError:
		return ofKind(kindOf(e.end), err, e.err)
	case *imageError:
		found := outermost(err, Errors(e.err))
		for _, one := range found {
			if one.Image == "" {
				one.Image = e.name
			}
		}
		return found
	case interface{ Unwrap() error }:
		return outermost(err, findings(e.Unwrap()))
	case interface{ Unwrap() []error }:
		if reflect.TypeOf(err) == reflect.TypeOf(errors.Join(err)) {
			return joined(e.Unwrap())
		}
		return outermost(err, together(e.Unwrap()))
	}
	if kind := kindOf(err); kind != CodeFailed {
		return []*Error{{Code: kind, Err: err}}
	}
	return nil
}

// kindOf tells what kind of failure an error is, by what is anywhere in it.
func kindOf(err error) Code {
	switch {
	case as[*TimeoutError](err), errors.Is(err, context.DeadlineExceeded):
		return CodeTimeout
	case as[*InconsistentError](err):
		return CodeInconsistent
	case as[*UsageError](err):
		return CodeUsage
	case errors.Is(err, context.Canceled):
		return CodeInterrupted
	}
	return CodeFailed
}

// ofKind are the findings in the cause of an error that says what kind of failure it is.
func ofKind(kind Code, err, cause error) []*Error {
	found := findings(cause)
	if len(found) == 0 {
		return []*Error{{Code: kind, Err: err}}
	}
	if exitOf(found) >= kind.exit() && kind.exit() > exitFailed {
		// That is its kind because of what is in it.
		return outermost(err, found)
	}
	for _, one := range found {
		if one.Code == CodeFailed || one.Code.isKind() && kind.exit() > one.Code.exit() {
			one.Code = kind
		}
		one.least = max(one.least, kind.exit())
	}
	return outermost(err, found)
}

// outermost gives the only finding all that is said of it.
func outermost(err error, found []*Error) []*Error {
	if len(found) == 1 {
		found[0].Err = err
	}
	return found
}

// joined are findings side by side.
func joined(all []error) []*Error {
	var found []*Error
	for _, err := range all {
		found = append(found, Errors(err)...)
	}
	return found
}

// together are the findings in errors that are one sentence: what says only the kind of
// failure is said of the others.
func together(all []error) []*Error {
	var found []*Error
	for _, err := range all {
		found = append(found, findings(err)...)
	}
	isKind := func(e *Error) bool { return e.Code.isKind() }
	if !slices.ContainsFunc(found, func(e *Error) bool { return !isKind(e) }) {
		return found
	}
	least := 0
	for _, one := range found {
		if isKind(one) {
			least = max(least, one.ExitCode())
		}
	}
	found = slices.DeleteFunc(found, isKind)
	for _, one := range found {
		one.least = max(one.least, least)
	}
	return found
}

// ofType is what an error itself says, nil where that takes a look at its cause.
func ofType(err error) *Error {
	switch e := err.(type) {
	case *Error:
		found := *e
		return &found
	case *RolloutError:
		return e.finding()
	case *rollout.FailedError:
		return rolloutError(e).finding()
	case *noRecordError:
		return &Error{Code: CodeNotRecorded, Image: e.image, Fix: e.mend}
	case *InUseError:
		return &Error{Code: CodeInUse, Fix: e.mend}
	case *DisagreementError:
		return &Error{Code: CodeInconsistent}
	case *apply.ClaimedError:
		return &Error{Code: CodeClaimed, Namespace: e.Namespace, Workload: e.Workload}
	case *config.UsageError:
		return &Error{Code: CodeUsage}
	case *manifest.Error:
		return &Error{Code: CodeManifest}
	}
	if found := ofRecord(err); found != nil {
		return found
	}
	return ofHost(err)
}

func ofRecord(err error) *Error {
	switch e := err.(type) {
	case *record.TamperedError:
		return &Error{Code: CodeTampered, Image: e.Name, Namespace: e.Set.Namespace}
	case *record.UnreadableError:
		return &Error{Code: CodeTampered, Image: e.Name, Namespace: e.Set.Namespace}
	case *record.NewerError:
		return &Error{Code: CodeNewer, Image: e.Name}
	case *record.MovedError:
		return &Error{Code: CodeConflict, Image: e.Name, Namespace: e.Set.Namespace}
	case *record.ReleasingError:
		return &Error{Code: CodeConflict, Image: e.Name, Namespace: e.Set.Namespace}
	case *record.SupersededError:
		return &Error{Code: CodeConflict, Image: e.Name}
	case *lock.DamagedError:
		if e.Newer != "" {
			return &Error{Code: CodeNewer}
		}
		return &Error{Code: CodeTampered}
	}
	return nil
}

func ofHost(err error) *Error {
	switch err.(type) {
	case *kindnode.NotFoundError:
		return &Error{Code: CodeNoCluster}
	case *kindnode.NoResponseError:
		return &Error{Code: CodeNoResponse}
	case *kindnode.TakenError, *kindnode.MovedError:
		return &Error{Code: CodeConflict}
	case *kindnode.GoneError:
		return &Error{Code: CodeNotLoaded}
	case *kindnode.AmbiguousError, *engine.AmbiguousError:
		return &Error{Code: CodeUsage}
	case *engine.NotFoundError, *ociimage.CompressionError, *ociimage.ContentError, *ociimage.ChoiceError:
		return &Error{Code: CodeSource}
	case *engine.BuildError:
		return &Error{Code: CodeBuild}
	}
	return nil
}
