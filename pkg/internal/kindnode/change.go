package kindnode

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/outlive"
)

// settleGrace is how long a cancelled change in a node is waited for before its
// undoing starts.
const settleGrace = 10 * time.Second

// change carries out operations on the named nodes side by side, those of a node
// one after the other. It returns what became of each, by node, also of those
// before one that failed.
func change[Op, Done any](ctx context.Context, c *Cluster, nodes []string, ops []Op,
	do func(*session, context.Context, Op) (Done, error),
) (map[string][]Done, error) {
	return forEach(nodes, func(node string) ([]Done, error) {
		s, err := c.session(ctx, node)
		if err != nil {
			return nil, err
		}
		var all []Done
		for _, op := range ops {
			if ctx.Err() != nil {
				return all, context.Cause(ctx)
			}
			done, err := settle(ctx, func(ctx context.Context) (Done, error) { return do(s, ctx, op) })
			if err != nil {
				return all, err
			}
			all = append(all, done)
		}
		return all, nil
	})
}

// settle runs a change that must not be cut short: nobody would know whether the
// node carries it out. ctx's error is returned only by whoever looks at ctx next.
func settle[T any](ctx context.Context, change func(context.Context) (T, error)) (T, error) {
	running, cancel := outlive.Context(ctx, settleGrace)
	defer cancel()
	return change(running)
}

// criLag is how the CRI is waited for, which handles containerd's events a moment
// after they happened and has no event of its own to tell: 10 seconds in all.
var criLag = wait.Backoff{Duration: 2 * time.Millisecond, Factor: 1.3, Steps: 29}

// settled asks until the CRI has followed containerd, or for 10 seconds. That it
// has not followed is for the caller to see, no error.
func (s *session) settled(ctx context.Context, has func(context.Context) (bool, error)) error {
	err := wait.ExponentialBackoffWithContext(ctx, criLag, has)
	if wait.Interrupted(err) && ctx.Err() == nil {
		return nil
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return context.Cause(ctx)
	}
	return err
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
