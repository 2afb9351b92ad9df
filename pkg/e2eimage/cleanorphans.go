package e2eimage

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/outlive"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// orphanGrace is how old a tag without a record has to be: one that was just loaded
// is about to get it.
const orphanGrace = time.Hour

// cleanOrphans takes tags off the nodes whose record is gone, with its namespace
// perhaps.
func (c *Client) cleanOrphans(ctx context.Context, in CleanInput) (*CleanResult, error) {
	kube, err := c.kube(in.Suite)
	if err != nil {
		return nil, err
	}
	place, states, err := c.inUse(ctx, kube, func() (*place, error) { return c.open(ctx, kube, in.Suite) })
	if err != nil {
		return nil, err
	}
	defer place.Close()
	run := &cleanRun{
		client: c, in: in, kube: kube, place: place, states: states,
		result: &CleanResult{Consumer: in.Suite.Consumer, Namespace: in.Suite.Namespace, Images: []CleanedImage{}},
	}
	if !in.Force {
		if run.users, err = c.users(ctx, kube, states); err != nil {
			return nil, err
		}
	}
	orphans, err := run.orphans(ctx)
	if err != nil || len(orphans) == 0 || in.DryRun {
		run.result.Orphans = orphans
		return run.result, err
	}
	var ops []kindnode.UntagOp
	for _, orphan := range orphans {
		ops = append(ops, kindnode.UntagOp{Name: orphan.Image, Owner: orphan.Owner})
	}
	finishing, cancel := outlive.WithGracePeriod(ctx, undoLimit)
	defer cancel()
	measured := run.measure(ctx)
	removing := c.report.Start(step("Removing", "Removed", tagsFrom(len(ops), place.Names())))
	_, err = place.Untag(finishing, place.Names(), ops)
	removing.End(err)
	if err != nil {
		return run.result, err
	}
	run.result.Orphans = orphans
	measured(finishing)
	return run.result, nil
}

// orphans finds the tags; those in use are left and said.
func (r *cleanRun) orphans(ctx context.Context) ([]Orphan, error) {
	grace := orphanGrace
	if r.in.OlderThan > 0 {
		grace = r.in.OlderThan
	}
	found, young := map[string]*Orphan{}, map[string]bool{}
	for owned := range r.states.Owners() {
		tag := owned.Name
		young[tag] = young[tag] || time.Since(owned.Since) < grace
		if found[tag] == nil {
			found[tag] = &Orphan{Image: tag, Owner: owned.Owner}
		}
		found[tag].Nodes = append(found[tag].Nodes, owned.Node)
	}
	records := map[string]*ownedRecords{}
	var orphans []Orphan
	for _, tag := range sortedKeys(found) {
		orphan := found[tag]
		namespace, consumer, _, named := record.ParseOwner(orphan.Owner)
		if !named || r.in.Suite.Namespace != "" && namespace != r.in.Suite.Namespace ||
			r.in.Suite.Consumer != "" && consumer != r.in.Suite.Consumer {
			continue
		}
		key := namespace + "." + consumer
		if _, asked := records[key]; !asked {
			var err error
			if records[key], err = r.ownedBy(ctx, namespace, consumer); err != nil {
				return nil, err
			}
		}
		if records[key].may(tag, orphan.Owner) {
			continue
		}
		if young[tag] {
			r.client.report.Info(fmt.Sprintf("%s stays: it is younger than %s, and a run of load or tag may still need it "+
				"(--older-than sets the age)", tag, grace))
			continue
		}
		if using := r.inUse(tag); len(using) > 0 {
			r.result.Left = append(r.result.Left, using...)
			continue
		}
		orphans = append(orphans, *orphan)
	}
	return orphans, nil
}

// ownedRecords are a consumer's records in a namespace. What of them cannot be read
// may have any tag.
type ownedRecords struct {
	unread bool
	owners []string
	tags   []string
}

func (o *ownedRecords) may(tag, owner string) bool {
	return o.unread || slices.Contains(o.owners, owner) || slices.Contains(o.tags, tag)
}

// ownedBy reads the records, and says which cannot be read, or may not.
func (r *cleanRun) ownedBy(ctx context.Context, namespace, consumer string) (*ownedRecords, error) {
	records := &ownedRecords{}
	set, err := r.kube.records.Get(ctx, namespace, consumer)
	switch {
	case err != nil && !apierrors.IsForbidden(err) && ExitCode(err) != exitInconsistent:
		return nil, err
	case err != nil:
		r.client.report.Warn(fmt.Sprintf("tags recorded for consumer %s in namespace %s stay: %v", consumer, namespace, err))
		records.unread = true
		return records, nil
	}
	for _, name := range set.Names() {
		evidence, err := set.Entry(name)
		switch {
		case err != nil:
			r.client.report.Warn(fmt.Sprintf("tags recorded for %s stay: %v", name, err))
			records.owners = append(records.owners, record.Owner(namespace, consumer, name))
		case evidence != nil:
			records.tags = append(records.tags, evidence.Tags()...)
		}
	}
	return records, nil
}
