package kindtest

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/kind/pkg/cluster"
	"sigs.k8s.io/kind/pkg/cluster/nodeutils"
)

// readyScript waits for each node to be known, then for all to be ready. kubectl gives up
// at once where it is to wait for two nodes that it does not know.
const readyScript = `set -e
export KUBECONFIG=/etc/kubernetes/admin.conf
timeout=$1
shift
for node; do kubectl wait --for=create --timeout="$timeout" "$node"; done
kubectl wait --for=condition=Ready --timeout="$timeout" "$@"`

// waitForNodes waits until every node of a cluster is ready. kind itself waits for the
// control plane only: a worker that has just joined need not be known yet.
func waitForNodes(ctx context.Context, p *cluster.Provider, name string, limit time.Duration) error {
	all, err := p.ListInternalNodes(name)
	if err != nil {
		return fmt.Errorf("list the nodes of cluster %s: %w", name, explain(err))
	}
	control, err := nodeutils.BootstrapControlPlaneNode(all)
	if err != nil {
		return err
	}
	argv := []string{"-c", readyScript, "sh", limit.String()}
	for _, node := range all {
		argv = append(argv, "node/"+node.String())
	}
	if err := control.CommandContext(ctx, "sh", argv...).Run(); err != nil {
		return fmt.Errorf("wait for the nodes of cluster %s: %w", name, explain(err))
	}
	return nil
}
