package workload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// retried is how long to wait for the kubelet to see what came.
const retried = 2 * time.Second

// reasonInterrupted: the caller did not wait any longer.
const reasonInterrupted = "Interrupted"

// interruptedLimit bounds what an interrupted wait asks for.
const interruptedLimit = 2 * time.Second

// afterFailure is how long the other workloads get when one has failed.
const afterFailure = 10 * time.Second

var (
	errOtherFailed = errors.New("another rollout had failed")
	errTimeout     = errors.New("timeout of the rollout")
)

// Wait watches all workloads until each is rolled out or cannot be any more,
// side by side. Errors: *RolloutError, joined, the gravest first. After a dry
// run there is nothing to wait for, nor for what was rolled out already, unless Dead
// has told otherwise.
func (p *Plan) Wait(ctx context.Context, report progress.Reporter) error {
	if p.options.DryRun.dry() {
		return nil
	}
	waiting, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	failures := make([]error, len(p.targets))
	var all sync.WaitGroup
	var failed sync.Once
	grace := time.AfterFunc(time.Hour, func() { cancel(errOtherFailed) })
	defer grace.Stop()
	grace.Stop()
	for i, t := range p.targets {
		if t.waited {
			continue
		}
		all.Go(func() {
			waits := report.Start(progress.Step{
				Doing: fmt.Sprintf("Waiting for %s", t.ref), Done: fmt.Sprintf("%s is %s", t.ref, t.object.atEnd()),
			})
			failures[i] = p.waitFor(waiting, t, report, waits)
			waits.End(failures[i])
			t.waited = failures[i] == nil
			if failures[i] != nil {
				failed.Do(func() { grace.Reset(afterFailure) })
			}
		})
	}
	all.Wait()
	slices.SortStableFunc(failures, func(a, b error) int { return cmp.Compare(gravity(a), gravity(b)) })
	if first := slices.IndexFunc(failures, wasInterrupted); first >= 0 {
		failures = slices.Insert(failures, first,
			fmt.Errorf("stopped waiting for %s: %w", few(failures[first:]), context.Cause(ctx)))
	}
	return apart(failures)
}

// wasInterrupted tells whether the caller ended the wait for a rollout.
func wasInterrupted(err error) bool {
	var report *RolloutError
	return errors.As(err, &report) && report.Reason == reasonInterrupted
}

// few names the workload of the only report, or says how many there are.
func few(failures []error) string {
	var only *RolloutError
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

// apart joins errors of many lines each, with an empty line between them.
func apart(failures []error) error {
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
func (p *Plan) waitFor(ctx context.Context, t *target, report progress.Reporter, waits progress.Running) error {
	watching, stop := within(ctx, t.timeout())
	w := newWatcher(p.api, t)
	defer w.running.Wait()
	defer stop()
	if err := w.begin(watching); err != nil {
		return err
	}
	judge := newJudge(t)
	begun := time.Now()
	for watching.Err() == nil {
		seen := w.view()
		result := judge.look(seen, time.Now())
		switch {
		case result.failure != nil && p.missing(watching, result.failure):
			return p.diagnose(ctx, t, result.failure)
		case result.failure != nil:
			result.again = retried
		case result.done:
			t.running = slices.Concat(judge.running(seen)...)
			t.tellIdle(report, judgeRollout(seen.object).idle)
			return nil
		case result.lookCloser && w.closer == nil:
			w.look(watching)
			continue
		}
		waits.Now(seen.ready())
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
	return p.ended(ctx, watching, w, time.Since(begun))
}

// within bounds a context; 0 is no bound.
func within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, timeout, errTimeout)
}

// ended tells a timeout from an interruption, both with what was still missing.
func (p *Plan) ended(ctx, watching context.Context, w *watcher, after time.Duration) error {
	t := w.target
	switch cause := context.Cause(watching); {
	case errors.Is(cause, errTimeout):
		return p.diagnose(ctx, t, late(w.view(), t.timeout(), w.lastTrouble()))
	case errors.Is(cause, errOtherFailed):
		return &RolloutError{
			Workload: t.ref.String(), Namespace: t.ref.namespace, Reason: "Unfinished",
			Message: fmt.Sprintf("stopped waiting, since %s %s before: %s", errOtherFailed, afterFailure,
				w.view().waiting()),
		}
	default:
		trouble := w.lastTrouble()
		if errors.Is(trouble, watching.Err()) {
			// Its own end.
			trouble = nil
		}
		failed := late(w.view(), after.Round(100*time.Millisecond), trouble)
		failed.Reason, failed.NotInTime = reasonInterrupted, false
		// What the caller has let pass is known to nobody else.
		telling, cancel := context.WithTimeout(context.WithoutCancel(ctx), interruptedLimit)
		defer cancel()
		return p.diagnose(telling, t, failed)
	}
}

// tellIdle says which pods do not run the images although all is done.
func (t *target) tellIdle(report progress.Reporter, idle string) {
	switch {
	case idle == "" || len(t.images) == 0:
	case len(t.running) == 0:
		report.Warn(fmt.Sprintf("%s: %s, so nothing runs the new image", t.ref.where(), idle))
	default:
		report.Warn(fmt.Sprintf("%s: %s", t.ref.where(), idle))
	}
}

// timeout is the longest that one of the workload's images asks for.
func (t *target) timeout() time.Duration {
	longest := t.otherwise.Timeout
	for _, image := range t.images {
		longest = max(longest, image.Timeout)
	}
	return longest
}

// maxRestarts is the largest that one of the images asks for; 0 is never.
func (t *target) maxRestarts() int {
	most := t.otherwise.MaxRestarts
	for _, image := range t.images {
		if image.MaxRestarts == 0 {
			return 0
		}
		most = max(most, image.MaxRestarts)
	}
	return most
}
