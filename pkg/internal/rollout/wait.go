package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// recheckDelay is how long to wait for the kubelet to see what came.
const recheckDelay = 2 * time.Second

// reasonInterrupted: the caller did not wait any longer.
const reasonInterrupted = "Interrupted"

// interruptedLimit bounds what an interrupted wait asks for.
const interruptedLimit = 2 * time.Second

// graceAfterFailure is how long the other workloads get when one has failed.
const graceAfterFailure = 10 * time.Second

var (
	errOtherFailed = errors.New("another rollout had failed")
	errTimeout     = errors.New("timeout of the rollout")
)

// Rollouts are those of workloads that were deployed together.
type Rollouts struct {
	api kube.API
	all []*rollout
}

// rollout is that of one workload.
type rollout struct {
	kube.Target

	// waited: Wait has seen it rolled out, and running is what it found.
	waited  bool
	running []Running
}

// New returns the rollouts of workloads, to be waited for.
func New(api kube.API, targets []kube.Target) *Rollouts {
	r := &Rollouts{api: api}
	for _, t := range targets {
		r.all = append(r.all, &rollout{Target: t})
	}
	return r
}

// Running returns the containers that Wait saw running the images.
func (r *Rollouts) Running() []Running {
	var running []Running
	for _, t := range r.all {
		running = append(running, t.running...)
	}
	return running
}

// Wait watches all workloads until each is rolled out or cannot be any more,
// side by side. Errors: *FailedError, joined, the gravest first. What was rolled out
// already is not waited for, unless MarkDead has told otherwise.
func (r *Rollouts) Wait(ctx context.Context, report progress.Reporter) error {
	waiting, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	failures := make([]error, len(r.all))
	var all sync.WaitGroup
	var failed sync.Once
	grace := time.AfterFunc(time.Hour, func() { cancel(errOtherFailed) })
	defer grace.Stop()
	grace.Stop()
	for i, t := range r.all {
		if t.waited {
			continue
		}
		all.Go(func() {
			waits := report.Start(progress.Step{
				Doing: fmt.Sprintf("Waiting for %s", t.Ref), Done: fmt.Sprintf("%s is %s", t.Ref, finalState(t.Object)),
			})
			failures[i] = r.waitFor(waiting, t, report, waits)
			waits.End(failures[i])
			t.waited = failures[i] == nil
			if failures[i] != nil {
				failed.Do(func() { grace.Reset(graceAfterFailure) })
			}
		})
	}
	all.Wait()
	slices.SortStableFunc(failures, func(a, b error) int { return cmp.Compare(severity(a), severity(b)) })
	if first := slices.IndexFunc(failures, wasInterrupted); first >= 0 {
		failures = slices.Insert(failures, first,
			fmt.Errorf("stopped waiting for %s: %w", describeInterrupted(failures[first:]), context.Cause(ctx)))
	}
	return joinErrors(failures)
}

// wasInterrupted tells whether the caller ended the wait for a rollout.
func wasInterrupted(err error) bool {
	var report *FailedError
	return errors.As(err, &report) && report.Interrupted()
}

// describeInterrupted names the workload of the only report, or says how many there are.
func describeInterrupted(failures []error) string {
	var only *FailedError
	count := 0
	for _, err := range failures {
		if wasInterrupted(err) {
			count++
			_ = errors.As(err, &only)
		}
	}
	if count == 1 {
		return only.Workload
	}
	return progress.Counted(count, "rollout")
}

// joinErrors joins errors of many lines each, with an empty line between them.
func joinErrors(failures []error) error {
	var all error
	for _, err := range failures {
		switch {
		case all == nil:
			all = err
		case err != nil:
			all = fmt.Errorf("%w\n\n%w", all, err)
		}
	}
	return all
}

// waitFor watches one workload until the end of its rollout.
func (r *Rollouts) waitFor(ctx context.Context, t *rollout, report progress.Reporter, waits progress.Running) error {
	watching, stop := withTimeout(ctx, t.Timeout())
	w := newWatcher(r.api, &t.Target)
	defer w.running.Wait()
	defer stop()
	if err := w.begin(watching); err != nil {
		return err
	}
	judge := newJudge(&t.Target)
	begun := time.Now()
	for watching.Err() == nil {
		seen := w.view()
		result := judge.evaluate(seen, time.Now())
		switch {
		case result.failure != nil && r.stillMissing(watching, result.failure):
			return r.diagnose(ctx, &t.Target, result.failure)
		case result.failure != nil:
			result.again = recheckDelay
		case result.done:
			t.running = slices.Concat(judge.running(seen)...)
			t.tellIdle(report, judgeStatus(seen.object).idle)
			return nil
		case result.needsDiagnostics && w.diagnostics == nil:
			w.startDiagnostics(watching)
			continue
		}
		waits.Now(seen.progressText())
		var again <-chan time.Time
		if result.again > 0 {
			again = time.After(result.again)
		}
		select {
		case <-w.changed:
		case <-again:
		case <-watching.Done():
		}
	}
	return r.endedEarly(ctx, watching, w, time.Since(begun))
}

// withTimeout bounds a context; 0 is no bound.
func withTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, timeout, errTimeout)
}

// endedEarly tells a timeout from an interruption, both with what was still missing.
func (r *Rollouts) endedEarly(ctx, watching context.Context, w *watcher, after time.Duration) error {
	t := w.target
	switch cause := context.Cause(watching); {
	case errors.Is(cause, errTimeout):
		return r.diagnose(ctx, t, timeoutFailure(w.view(), t.Timeout(), w.lastTrouble()))
	case errors.Is(cause, errOtherFailed):
		return &FailedError{
			Workload: t.Ref.String(), Namespace: t.Ref.Namespace, Reason: "Unfinished",
			Message: fmt.Sprintf("stopped waiting, since %s %s before: %s", errOtherFailed, graceAfterFailure,
				w.view().waiting()),
		}
	default:
		trouble := w.lastTrouble()
		if errors.Is(trouble, watching.Err()) {
			// Its own end.
			trouble = nil
		}
		failed := timeoutFailure(w.view(), after.Round(100*time.Millisecond), trouble)
		failed.Reason, failed.NotInTime = reasonInterrupted, false
		// What the caller has let pass is known to nobody else.
		telling, cancel := context.WithTimeout(context.WithoutCancel(ctx), interruptedLimit)
		defer cancel()
		return r.diagnose(telling, t, failed)
	}
}

// tellIdle says which pods do not run the images although all is done.
func (t *rollout) tellIdle(report progress.Reporter, idle string) {
	switch {
	case idle == "" || len(t.Images) == 0:
	case len(t.running) == 0:
		report.Warn(fmt.Sprintf("%s: %s, so nothing runs the new image", t.Ref.Where(), idle))
	default:
		report.Warn(fmt.Sprintf("%s: %s", t.Ref.Where(), idle))
	}
}
