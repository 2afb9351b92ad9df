package e2eimage

import (
	"context"
	"errors"
	"fmt"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/rollout"
)

// wait waits for the rollouts; to a failure on a node it adds what that node has.
func (d *deployRun) wait(ctx context.Context, rollouts *rollout.Rollouts) error {
	return d.explain(rollouts.Wait(ctx, d.client.report))
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
