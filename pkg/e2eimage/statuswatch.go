package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/rollout"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// settleTime is waited for after a change: a rollout makes many at once, and each look
// asks the nodes, too.
const settleTime = 300 * time.Millisecond

// WatchStatus calls each with what Status says now, and again whenever records, workloads
// or pods change, until the context ends, each fails, or Status fails for good. The first
// look fails for good unless the API server or a node just does not answer, a later one only
// where asking is not allowed. Any other failure is a warning, and it is asked again. The
// API server tells of changes. Nodes and this host cannot: they are asked each time
// something else has changed.
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
	changed := rollout.Changes(ctx, kube, namespace, record.ManagedByLabel+"="+record.ManagedBy)
	// What it does and warns of is said once, not at each look.
	silent := *c
	silent.report = progress.Discard{}
	looking, again, told := c, retries(), false
	for {
		result, err := looking.status(ctx, in)
		if err != nil {
			if ctx.Err() != nil || isFinal(err) || looking == c && !isPassing(err) {
				return err
			}
			if !told {
				c.report.Warn(fmt.Sprintf("cannot look, and tries again: %v", err))
			}
			told = true
			if !sleep(ctx, again.Step()) {
				return context.Cause(ctx)
			}
			continue
		}
		if err := each(result); err != nil {
			return err
		}
		looking, again, told = &silent, retries(), false
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

// retries are how long is waited after each look that failed: from one second to half a
// minute.
func retries() wait.Backoff {
	return wait.Backoff{Duration: time.Second, Factor: 2, Cap: 30 * time.Second, Steps: math.MaxInt32}
}

// isFinal tells whether asking again brings nothing.
func isFinal(err error) bool {
	return as[*UsageError](classify(err)) || apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) ||
		apierrors.IsBadRequest(err)
}

// isPassing tells whether a look may have failed only because the API server or a node does
// not answer just now, as while it restarts.
func isPassing(err error) bool {
	return as[*kindnode.NoResponseError](err) || utilnet.IsConnectionRefused(err) || utilnet.IsConnectionReset(err) ||
		utilnet.IsProbableEOF(err) || utilnet.IsTimeout(err) || apierrors.IsTimeout(err) ||
		apierrors.IsServerTimeout(err) || apierrors.IsServiceUnavailable(err) || apierrors.IsTooManyRequests(err) ||
		apierrors.IsInternalError(err)
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
