package e2eimage

import (
	"context"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
)

// place is where a verb that writes works: the API server, the nodes, and the
// lock.
type place struct {
	kube     *kube
	cluster  *kindnode.Cluster
	consumer string
	lock     *locks
}

// openPlace finds all three. The caller closes the cluster.
func (c *Client) openPlace(ctx context.Context, suite config.Suite) (*place, error) {
	kube, err := c.kube(suite)
	if err != nil {
		return nil, err
	}
	cluster, err := c.find(ctx, suite)
	if err != nil {
		return nil, err
	}
	consumer := suite.Consumer
	if consumer == "" {
		if consumer, err = consumerAfter(cluster.Name); err != nil {
			cluster.Close()
			return nil, err
		}
	}
	lock, err := c.openLock(suite, consumer)
	if err != nil {
		cluster.Close()
		return nil, err
	}
	return &place{kube: kube, cluster: cluster, consumer: consumer, lock: lock}, nil
}
