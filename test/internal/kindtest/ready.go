package kindtest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/kind/pkg/cluster"
	"sigs.k8s.io/kind/pkg/cluster/nodeutils"
)

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
	var wanted []string
	for _, node := range all {
		wanted = append(wanted, "node/"+node.String())
	}
	slices.Sort(wanted)
	for _, state := range []string{"create", "condition=Ready"} {
		argv := append([]string{"--kubeconfig=/etc/kubernetes/admin.conf", "wait", "--for=" + state, "--timeout=" + limit.String()}, wanted...)
		if err := control.CommandContext(ctx, "kubectl", argv...).Run(); err != nil {
			return fmt.Errorf("wait for the nodes of cluster %s (%s): %w", name, state, explain(err))
		}
	}
	return nil
}
