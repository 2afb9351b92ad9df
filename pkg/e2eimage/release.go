package e2eimage

import (
	"context"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// undoLimit bounds what a failed or interrupted run does to take back its work.
const undoLimit = 30 * time.Second

// release takes tags, given by image name, off all nodes and then out of the
// record: a run that is killed in between leaves a record that names them.
func (c *Client) release(ctx context.Context, kube *apiServer, store imageStore, consumer string,
	tags map[string][]string,
) error {
	_, err := c.releaseFrom(ctx, kube, store, consumer, tags)
	return err
}

// releaseFrom does the work of release and returns what became of the tags.
func (c *Client) releaseFrom(ctx context.Context, kube *apiServer, store imageStore, consumer string,
	tags map[string][]string,
) (map[string][]kindnode.Untagged, error) {
	var ops []kindnode.UntagOp
	for _, name := range sortedKeys(tags) {
		for _, tag := range tags[name] {
			ops = append(ops, kindnode.UntagOp{Name: tag, Owner: record.Owner(kube.namespace, consumer, name)})
		}
	}
	var done map[string][]kindnode.Untagged
	if len(ops) > 0 {
		removing := c.report.Start(step("Removing", "Removed", tagsFrom(len(ops), store.Names())))
		var err error
		done, err = store.Untag(ctx, store.Names(), ops)
		removing.End(err)
		if err != nil {
			return done, err
		}
	}
	if len(tags) == 0 {
		return done, nil
	}
	return done, kube.records.Update(ctx, kube.namespace, consumer, func(set *record.Set) error {
		for _, name := range sortedKeys(tags) {
			if err := set.Released(name, tags[name]); err != nil {
				return err
			}
		}
		return nil
	})
}
