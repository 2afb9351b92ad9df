package e2eimage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// CleanInput is what Clean needs.
type CleanInput struct {
	Suite config.Suite
	// Force takes tags away although containers run them.
	Force bool
	// DryRun reports but removes nothing.
	DryRun bool
}

// CleanResult is what Clean removed and what it left.
type CleanResult struct {
	Consumer  string         `json:"consumer"`
	Namespace string         `json:"namespace"`
	Images    []CleanedImage `json:"images"`
}

// CleanedImage is what became of one record.
type CleanedImage struct {
	Name string `json:"name"`
	// Removed are the tags that were taken off the nodes.
	Removed []string `json:"removed"`
	// Freed are the nodes where an image went with its last name.
	Freed []string `json:"freed"`
	// RecordRemoved is set when the record is gone, too.
	RecordRemoved bool `json:"recordRemoved"`
	// Left are the tags that containers still run, with where; the record stays.
	Left []TagInUse `json:"left,omitempty"`
}

// TagInUse is a container that runs a tag.
type TagInUse struct {
	Image string `json:"image"`
	Node  string `json:"node"`
	Pod   string `json:"pod"`
}

// Clean takes away what the records of the suite's images own: their tags on
// all nodes, images that then nothing names or runs, and the records. Tags that
// containers run are left, with their records, and listed.
func (c *Client) Clean(ctx context.Context, in CleanInput) (*CleanResult, error) {
	kube, err := c.kube(in.Suite)
	if err != nil {
		return nil, err
	}
	// Not read: clean is also how to get rid of damaged records. What the
	// suite names and nobody recorded is gone already.
	set, err := kube.setWith(ctx, in.Suite, true)
	if err != nil {
		return nil, err
	}
	names := namesIn(set, recordedNames(in.Suite))
	cluster, err := c.find(ctx, in.Suite)
	if err != nil {
		return nil, err
	}
	defer cluster.Close()
	states, err := c.ask(ctx, cluster, (*kindnode.Cluster).ProbeUse)
	if err != nil {
		return nil, err
	}
	if err := kube.checkRightCluster(ctx, cluster, states); err != nil {
		return nil, err
	}
	run := &cleanRun{
		client: c, in: in, kube: kube, cluster: cluster, consumer: set.Consumer, states: states,
		result: &CleanResult{Consumer: set.Consumer, Namespace: kube.namespace, Images: []CleanedImage{}},
	}
	return run.result, classify(run.carryOut(ctx, names))
}

type cleanRun struct {
	client   *Client
	in       CleanInput
	kube     *kube
	cluster  *kindnode.Cluster
	consumer string
	states   map[string]kindnode.State
	result   *CleanResult
}

func (r *cleanRun) carryOut(ctx context.Context, names []string) error {
	tags := map[string][]string{}
	begin := func(set *record.Set) error {
		clear(tags)
		r.result.Images = r.result.Images[:0]
		for _, name := range names {
			released, left, err := r.begin(set, name)
			if err != nil {
				return err
			}
			r.result.Images = append(r.result.Images, CleanedImage{Name: name, Removed: []string{}, Freed: []string{}, Left: left})
			if len(left) == 0 {
				tags[name] = released
			}
		}
		return nil
	}
	if r.in.DryRun {
		set, err := r.kube.records.Get(ctx, r.kube.namespace, r.consumer)
		if err != nil {
			return err
		}
		err = begin(set)
		for i, image := range r.result.Images {
			r.result.Images[i].Removed = append(image.Removed, tags[image.Name]...)
			r.result.Images[i].RecordRemoved = len(image.Left) == 0
		}
		return err
	}
	if err := r.kube.records.Update(ctx, r.kube.namespace, r.consumer, begin); err != nil {
		return err
	}
	// From here on it is finished, whatever ends ctx: half of it would stay.
	finishing, cancel := kindnode.Outlive(ctx, undoLimit)
	defer cancel()
	done, err := r.client.releaseFrom(finishing, r.kube, r.cluster, r.consumer, tags)
	r.collect(tags, done)
	if err != nil {
		return fmt.Errorf("%w\nwhat is left is noted in the record; run clean again when the cause is mended", err)
	}
	for i, image := range r.result.Images {
		r.result.Images[i].RecordRemoved = len(image.Left) == 0
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%w, but what had begun was finished: %s of consumer %s is clean", context.Cause(ctx), strings.Join(sortedKeys(tags), ", "), r.consumer)
	}
	return nil
}

// begin withdraws one record, unless containers run its tags.
func (r *cleanRun) begin(set *record.Set, name string) ([]string, []TagInUse, error) {
	owned := r.ownedTags(name)
	if !r.in.Force {
		if left := r.inUse(owned); len(left) > 0 {
			return nil, left, nil
		}
	}
	recordedTags, err := set.BeginRelease(name)
	if err != nil {
		return nil, nil, err
	}
	for _, tag := range recordedTags {
		if !slices.Contains(owned, tag) {
			owned = append(owned, tag)
		}
	}
	return owned, nil, nil
}

// ownedTags are the names on any node that carry the record's owner label.
func (r *cleanRun) ownedTags(name string) []string {
	owner := record.Owner(r.kube.namespace, r.consumer, name)
	found := map[string]bool{}
	for _, state := range r.states {
		for tag, other := range state.Owners {
			if other == owner {
				found[tag] = true
			}
		}
	}
	return sortedKeys(found)
}

// inUse finds the containers that would not start again without one of the tags.
func (r *cleanRun) inUse(tags []string) []TagInUse {
	var using []TagInUse
	for _, node := range sortedKeys(r.states) {
		for _, container := range r.states[node].Containers {
			if r.states[node].InUse(container) && slices.Contains(tags, container.Image) {
				using = append(using, TagInUse{Image: container.Image, Node: node, Pod: container.Namespace + "/" + container.Pod})
			}
		}
	}
	return using
}

// collect sorts what the nodes answered under the image names.
func (r *cleanRun) collect(tags map[string][]string, done map[string][]kindnode.Untagged) {
	for i := range r.result.Images {
		image := &r.result.Images[i]
		for _, node := range sortedKeys(done) {
			for _, untagged := range done[node] {
				if !untagged.Removed || !slices.Contains(tags[image.Name], untagged.Name) {
					continue
				}
				if !slices.Contains(image.Removed, untagged.Name) {
					image.Removed = append(image.Removed, untagged.Name)
				}
				if untagged.Freed && !slices.Contains(image.Freed, node) {
					image.Freed = append(image.Freed, node)
				}
			}
		}
		slices.SortFunc(image.Removed, strings.Compare)
	}
}
