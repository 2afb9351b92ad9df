package e2eimage

import (
	"context"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
)

// target is where a verb that writes works: the API server, the nodes, and the
// lock.
type target struct {
	kube     *apiServer
	cluster  *kindnode.Cluster
	consumer string
	lock     *locks
}

// openTarget finds all three. The caller closes the cluster.
//
// meanwhile gets the target without its nodes, before they are looked for, where the
// consumer is not named after the cluster, else when all is known.
func (c *Client) openTarget(ctx context.Context, suite config.Suite, meanwhile ...func(*target)) (*target, error) {
	kube, err := c.kube(suite)
	if err != nil {
		return nil, err
	}
	opened := &target{kube: kube, consumer: suite.Consumer}
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
