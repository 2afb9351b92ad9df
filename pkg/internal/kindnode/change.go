package kindnode

import (
	"context"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/containerd"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/outlive"
)

// finishGrace is how long a cancelled change in a node is waited for before its
// undoing starts.
const finishGrace = 10 * time.Second

// change carries out operations on the named nodes side by side, those of a node
// one after the other. It returns what became of each, by node, also of those
// before one that failed.
func change[Op, Done any](ctx context.Context, c *Cluster, nodes []string, ops []Op,
	do func(context.Context, *containerd.Client, Op) (Done, error),
) (map[string][]Done, error) {
	return forEach(nodes, func(node string) ([]Done, error) {
		client, err := c.client(ctx, node)
		if err != nil {
			return nil, err
		}
		var all []Done
		for _, op := range ops {
			if ctx.Err() != nil {
				return all, context.Cause(ctx)
			}
			done, err := finishBegun(ctx, func(ctx context.Context) (Done, error) { return do(ctx, client, op) })
			if err != nil {
				return all, err
			}
			all = append(all, done)
		}
		return all, nil
	})
}

// finishBegun runs a change that must not be cut short: nobody would know whether the
// node carries it out. ctx's error is returned only by whoever looks at ctx next.
func finishBegun[T any](ctx context.Context, change func(context.Context) (T, error)) (T, error) {
	running, cancel := outlive.WithGracePeriod(ctx, finishGrace)
	defer cancel()
	return change(running)
}
