package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/workload"
)

func TestHowTheContextEndedIsFound(t *testing.T) {
	t.Parallel()
	cause := errors.New("NodeTimeout")
	cancelled, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	late, stop := context.WithDeadlineCause(t.Context(), time.Now().Add(-time.Second), cause)
	defer stop()
	own, stop := context.WithDeadlineCause(t.Context(), time.Now().Add(-time.Second), &TimeoutError{errors.New("not done after --timeout=1s")})
	defer stop()
	report := classifyWorkload(fmt.Errorf("waiting was ended: %w\n\n%w", cause, &workload.RolloutError{Reason: "Interrupted", Logs: []string{"no database"}}))
	for name, test := range map[string]struct {
		ctx                             context.Context
		err                             error
		canceled, deadline, timeout, is bool
	}{
		"nothing failed":                      {ctx: cancelled},
		"the context goes on":                 {ctx: t.Context(), err: cause, is: true},
		"cancelled":                           {ctx: cancelled, err: report, canceled: true, is: true},
		"its deadline passed":                 {ctx: late, err: report, deadline: true, timeout: true, is: true},
		"a deadline with a cause of ours":     {ctx: own, err: context.Cause(own), deadline: true, timeout: true},
		"what does not agree stays that":      {ctx: late, err: &InconsistentError{cause}, is: true},
		"what does not agree, when cancelled": {ctx: cancelled, err: &InconsistentError{cause}, canceled: true, is: true},
		"a mistake stays one":                 {ctx: late, err: &UsageError{cause}, is: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := ended(test.ctx, test.err)
			if test.err == nil {
				if err != nil {
					t.Errorf("error %v", err)
				}
				return
			}
			if errors.Is(err, context.Canceled) != test.canceled || errors.Is(err, context.DeadlineExceeded) != test.deadline || as[*TimeoutError](err) != test.timeout || errors.Is(err, cause) != test.is {
				t.Errorf("error %v of %T", err, err)
			}
			if err.Error() != test.err.Error() {
				t.Errorf("it says %q", err.Error())
			}
		})
	}
	var rollout *workload.RolloutError
	if err := ended(late, report); !errors.As(err, &rollout) || rollout.Logs[0] != "no database" {
		t.Errorf("the diagnosis is lost: %v", err)
	}
}

func TestARolloutThatGoesOnHasItsState(t *testing.T) {
	t.Parallel()
	s := ImageStatus{Workloads: []WorkloadStatus{{Running: 1, Wanted: 2}, {Running: 0, Wanted: 1}}}
	s.problem(StateRolling, "", "x runs it in 1 of 2 pods")
	s.settle()
	if s.State != StateRolling || s.Running != 1 || s.Wanted != 3 {
		t.Errorf("%+v", s)
	}
}

func TestWhatVerifyFindsIsInItsError(t *testing.T) {
	t.Parallel()
	image := ImageStatus{Name: "a", Consumer: "c", State: StateDrifted, Problems: []Problem{{StateDrifted, "it runs another", "deploy it"}, {StateMissing, "it is not on n1", ""}}}
	var err error = &InconsistentError{&DisagreementError{[]ImageStatus{image}}}
	var found *DisagreementError
	if !errors.As(err, &found) || len(found.Images[0].Problems) != 2 {
		t.Errorf("%v", err)
	}
	if want := "1 of what was looked at does not agree\na (c): Drifted: it runs another\n  mend it: deploy it\na (c): MissingOnNodes: it is not on n1"; err.Error() != want {
		t.Errorf("%v", err)
	}
}
