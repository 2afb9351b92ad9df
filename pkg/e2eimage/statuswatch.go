package e2eimage

import (
	"context"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/workload"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// settleTime is waited for after a change: a rollout makes many at once, and each look
// asks the nodes, too.
const settleTime = 300 * time.Millisecond

// WatchStatus calls each with what Status says now, and again whenever records, workloads
// or pods change, until the context ends or each fails. The API server tells of changes.
// Nodes and this host cannot: they are asked each time something else has changed.
func (c *Client) WatchStatus(ctx context.Context, in StatusInput, each func(*StatusResult) error) error {
	_, err := verb(ctx, in, func(ctx context.Context, in StatusInput) (*StatusResult, error) {
		return nil, c.watchStatus(ctx, in, each)
	})
	return err
}

func (c *Client) watchStatus(ctx context.Context, in StatusInput, each func(*StatusResult) error) error {
	if each == nil {
		return &UsageError{errors.New("WatchStatus has nobody to tell: each is nil")}
	}
	kube, err := c.kube(in.Suite)
	if err != nil {
		return err
	}
	namespace := kube.namespace
	if in.AllNamespaces {
		namespace = metav1.NamespaceAll
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	changed := workload.Changes(ctx, kube, namespace, record.ManagedByLabel+"="+record.ManagedBy)
	looking := c
	for {
		result, err := looking.status(ctx, in)
		if err == nil {
			err = each(result)
		}
		if err != nil {
			return err
		}
		// What it does and warns of is said once, not at each look.
		silent := *c
		silent.report = progress.Discard{}
		looking = &silent
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-changed:
		}
		if !sleep(ctx, settleTime) {
			return context.Cause(ctx)
		}
	}
}

// sleep waits, and tells whether the context let it.
func sleep(ctx context.Context, long time.Duration) bool {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
