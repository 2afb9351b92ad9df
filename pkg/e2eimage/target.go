package e2eimage

import (
	"context"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// target is where a verb that writes works: the API server, the place of images, and the
// lock.
type target struct {
	kube     *apiServer
	place    *place
	consumer string
	lock     *locks
}

// openTarget finds all three. The caller closes the place.
//
// meanwhile gets the target without its place, before that is looked for, where the
// consumer is not named after the cluster, else when all is known.
func (c *Client) openTarget(ctx context.Context, suite config.Suite, meanwhile ...func(*target)) (*target, error) {
	kube, err := c.kube(suite)
	if err != nil {
		return nil, err
	}
	opened := &target{kube: kube, consumer: suite.Consumer}
	if opened.consumer == "" {
		if opened.place, err = c.open(ctx, kube, suite); err != nil {
			return nil, err
		}
		opened.consumer, err = c.consumerOf(ctx, suite)
	}
	if err == nil {
		opened.lock, err = c.openLock(suite, opened.consumer)
	}
	if err == nil {
		for _, begin := range meanwhile {
			begin(opened)
		}
		if opened.place == nil {
			opened.place, err = c.open(ctx, kube, suite)
		}
	}
	if err != nil && opened.place != nil {
		opened.place.Close()
	}
	if err != nil {
		return nil, err
	}
	opened.place.knows(opened.consumer, opened.lock)
	return opened, nil
}
