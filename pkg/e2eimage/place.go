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
//
// meanwhile gets the place without its nodes, before they are looked for, where the
// consumer is not named after the cluster, else when all is known.
func (c *Client) openPlace(ctx context.Context, suite config.Suite, meanwhile ...func(*place)) (*place, error) {
	kube, err := c.kube(suite)
	if err != nil {
		return nil, err
	}
	opened := &place{kube: kube, consumer: suite.Consumer}
	if opened.consumer == "" {
		if opened.cluster, err = c.find(ctx, suite); err != nil {
			return nil, err
		}
		opened.consumer, err = consumerAfter(opened.cluster.Name)
	}
	if err == nil {
		opened.lock, err = c.openLock(suite, opened.consumer)
	}
	if err == nil {
		for _, begin := range meanwhile {
			begin(opened)
		}
		if opened.cluster == nil {
			opened.cluster, err = c.find(ctx, suite)
		}
	}
	if err != nil && opened.cluster != nil {
		opened.cluster.Close()
	}
	if err != nil {
		return nil, err
	}
	return opened, nil
}
