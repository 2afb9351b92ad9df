package kindnode

import (
	"context"
	"maps"
	"slices"

	"sigs.k8s.io/kind/pkg/cluster/constants"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

// FindOf looks for the cluster whose nodes have a certificate authority, on one provider or,
// where that is "", on all. It asks one running node of each cluster, and returns a query
// without a name where none has it. A node that does not answer is not the one: whoever
// names its cluster is told why.
func FindOf(ctx context.Context, runner hostexec.Runner, provider string, has func(ca []byte) bool) (Query, error) {
	asked := providers
	if provider != "" {
		asked = []string{provider}
	}
	// A docker that is podman in disguise shows podman's containers a second time.
	for _, listed := range slices.Backward(list(ctx, runner, "", asked)) {
		for _, name := range slices.Sorted(maps.Keys(listed.clusters)) {
			nodes := listed.clusters[name]
			i := slices.IndexFunc(nodes, func(node Node) bool {
				return node.Running() && node.Role == constants.ControlPlaneNodeRoleValue
			})
			if i < 0 {
				continue
			}
			cluster := &Cluster{Name: name, Provider: listed.provider, Nodes: nodes[i : i+1], runner: runner}
			states, err := cluster.probe(ctx, cluster.Names(), atHandshake)
			cluster.Close()
			if ctx.Err() != nil {
				return Query{}, context.Cause(ctx)
			}
			if err == nil && has(states[nodes[i].Name].CA) {
				return Query{Name: name, Provider: listed.provider}, nil
			}
		}
	}
	return Query{}, nil
}
