package e2eimage

import (
	"context"
	"fmt"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
)

// measure notes what images take on the nodes; the function that it returns notes
// what came back since. It is told, and nothing depends on it.
func (r *cleanRun) measure(ctx context.Context) func(context.Context) {
	if r.place.nodes == nil {
		return func(context.Context) {}
	}
	before, err := r.place.nodes.Disk(ctx)
	if err != nil {
		r.client.report.Warn(fmt.Sprintf("cannot tell how much disk space would be freed: %v", err))
		return func(context.Context) {}
	}
	return func(ctx context.Context) {
		after, err := r.place.nodes.Disk(ctx)
		if err != nil {
			r.client.report.Warn(fmt.Sprintf("cannot tell how much disk space was freed: %v", err))
			return
		}
		r.result.Disk = freed(before, after)
	}
}

func freed(before, after map[string]kindnode.Disk) []FreedDisk {
	var all []FreedDisk
	for _, node := range sortedKeys(before) {
		if bytes := before[node].Freed(after[node]); bytes > 0 && after[node] != nil {
			all = append(all, FreedDisk{Node: node, Bytes: bytes})
		}
	}
	return all
}
