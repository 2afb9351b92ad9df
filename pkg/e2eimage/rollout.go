package e2eimage

import (
	"context"
	"errors"
	"fmt"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/apply"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/rollout"
)

// wait waits for the rollouts; to a failure on a node it adds what that node has.
func (d *deployRun) wait(ctx context.Context, rollouts *rollout.Rollouts) error {
	return classifyWorkload(d.explain(rollouts.Wait(ctx, d.client.report)))
}

func (d *deployRun) explain(err error) error {
	var failed *rollout.FailedError
	if !errors.As(err, &failed) || !failed.Inconsistent || failed.Node == "" {
		return err
	}
	state, ok := d.states[failed.Node]
	if !ok {
		return err
	}
	has := similar(failed.Image, kindnode.States{failed.Node: state})
	if has == "" {
		has = "; it had nothing like it"
	}
	return fmt.Errorf("%w\nbefore the rollout node %s was asked%s", err, failed.Node, has)
}

// classifyWorkload gives errors of apply and rollout their public type.
func classifyWorkload(err error) error {
	var failed *rollout.FailedError
	if errors.As(err, &failed) {
		switch {
		case failed.Inconsistent:
			return &InconsistentError{err}
		case failed.NotInTime:
			return &TimeoutError{err}
		}
		return err
	}
	if as[*apply.ClaimedError](err) {
		return &InconsistentError{err}
	}
	return classify(err)
}
