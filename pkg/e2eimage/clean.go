package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// CleanInput is what Clean needs.
type CleanInput struct {
	Suite config.Suite
	// Scope says where; "" is ScopeAll.
	Scope Scope
	// Keep, unless nil, takes away only the images of before, but for so many; the
	// records and what they stand for stay.
	Keep *int
	// OlderThan leaves alone what was recorded later than so long ago.
	OlderThan time.Duration
	// Orphans takes away tags on nodes whose record is gone, and nothing else; see
	// Client.Clean.
	Orphans bool
	// Force takes tags away although containers run them.
	Force bool
	// DryRun reports but removes nothing.
	DryRun bool
}

// Scope says where Clean takes things away.
type Scope string

// Where Clean takes things away.
const (
	// ScopeAll is both: the host only after the cluster.
	ScopeAll Scope = "all"
	// ScopeCluster is the nodes and the records.
	ScopeCluster Scope = "cluster"
	// ScopeHost is the engines' names and the lock; it needs no cluster.
	ScopeHost Scope = "host"
)

// CleanResult is what Clean removed and what it left.
type CleanResult struct {
	Consumer string `json:"consumer"`
	// Namespace of the records, "" where only the host was cleaned.
	Namespace string         `json:"namespace,omitempty"`
	Images    []CleanedImage `json:"images"`
	// Orphans are tags whose record was gone.
	Orphans []Orphan `json:"orphans,omitempty"`
	// Disk is what came back, for each node where something did.
	Disk []FreedDisk `json:"disk,omitempty"`
}

// FreedDisk is disk that images took on a node and do not take any more.
type FreedDisk struct {
	Node  string `json:"node"`
	Bytes int64  `json:"bytes"`
}

// Orphan is a tag on nodes that no record has.
type Orphan struct {
	Image string `json:"image"`
	// Owner is the record that had it, <namespace>.<consumer>.<name>.
	Owner string   `json:"owner"`
	Nodes []string `json:"nodes"`
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
	// Host are the names that were taken off this host's engines, like
	// "podman localhost/x:dev".
	Host []string `json:"host"`
	// LockRemoved is set when the lock's entry is gone.
	LockRemoved bool `json:"lockRemoved"`
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
// all nodes, images that then nothing names or runs, the records, the names that
// builds gave on this host, and the lock's entries. Tags that containers run are
// left, with their records, and listed. What was adopted on the host stays.
//
// Orphans are tags that carry the label of a record which is gone, or does not have
// them: of the suite's namespace and consumer where it says those, else of all. They
// are taken away when they are an hour old, or older than OlderThan.
func (c *Client) Clean(ctx context.Context, in CleanInput) (*CleanResult, error) {
	if in.Orphans {
		return c.cleanOrphans(ctx, in)
	}
	if in.Scope == ScopeHost {
		return c.cleanHost(ctx, in)
	}
	return c.cleanCluster(ctx, in)
}

// cleanSet finds what is recorded. It is not read: clean is also how to get rid of
// damaged records. What the suite names and nobody recorded is gone already; what
// the lock has may be on nodes without a record.
func (c *Client) cleanSet(ctx context.Context, in CleanInput, kube *kube) (*record.Set, *locks, []string, error) {
	wanted := recordedNames(in.Suite)
	set, err := kube.setWith(ctx, in.Suite, true)
	var none *noRecordError
	if err != nil && !errors.As(err, &none) {
		return nil, nil, nil, err
	}
	consumer := in.Suite.Consumer
	if set != nil {
		consumer = set.Consumer
	}
	if consumer == "" {
		lock, failed := c.lockWith(in.Suite)
		if failed != nil || lock == nil {
			return nil, nil, nil, errors.Join(err, failed)
		}
		consumer = lock.Consumer
	}
	lock, failed := c.openLock(in.Suite, consumer)
	if failed != nil {
		return nil, nil, nil, failed
	}
	locked := lock.names(wanted)
	if set == nil {
		if len(locked) == 0 {
			return nil, nil, nil, err
		}
		if set, err = kube.records.Get(ctx, kube.namespace, consumer); err != nil {
			return nil, nil, nil, err
		}
	}
	names := namesIn(set, wanted)
	for _, name := range locked {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range wanted {
		if !slices.Contains(names, name) {
			c.report.Info(fmt.Sprintf("nothing is left of %s", name))
		}
	}
	return set, lock, names, nil
}

// nothingLeft tells what is clean already from what was misspelt: a whole suite may
// be cleaned again.
func (c *Client) nothingLeft(suite config.Suite, err error) error {
	if suite.File == "" || suite.Part || !as[*noRecordError](err) {
		return err
	}
	c.report.Info("nothing is left of the suite's images")
	return nil
}

func (c *Client) cleanCluster(ctx context.Context, in CleanInput) (*CleanResult, error) {
	kube, err := c.kube(in.Suite)
	if err != nil {
		return nil, err
	}
	set, lock, names, err := c.cleanSet(ctx, in, kube)
	if err = c.nothingLeft(in.Suite, err); err != nil {
		return nil, err
	}
	if set == nil {
		return &CleanResult{Consumer: in.Suite.Consumer, Namespace: kube.namespace, Images: []CleanedImage{}}, nil
	}
	cluster, states, err := c.inUse(ctx, in.Suite, kube)
	if err != nil {
		return nil, err
	}
	defer cluster.Close()
	run := &cleanRun{
		client: c, in: in, kube: kube, cluster: cluster, consumer: set.Consumer, states: states, lock: lock, had: map[string]bool{},
		result: &CleanResult{Consumer: set.Consumer, Namespace: kube.namespace, Images: []CleanedImage{}},
	}
	if names, err = run.old(set, names); err != nil {
		return nil, classify(err)
	}
	err = run.carryOut(ctx, names)
	if err == nil {
		err = run.lockToo(ctx)
	}
	return run.result, classify(err)
}

type cleanRun struct {
	client   *Client
	in       CleanInput
	kube     *kube
	cluster  *kindnode.Cluster
	consumer string
	states   map[string]kindnode.State
	lock     *locks
	// had are the names that had records.
	had    map[string]bool
	result *CleanResult
}

func (r *cleanRun) carryOut(ctx context.Context, names []string) error {
	tags := map[string][]string{}
	begin := func(set *record.Set) error {
		clear(tags)
		for _, name := range set.Names() {
			r.had[name] = true
		}
		r.result.Images = r.result.Images[:0]
		for _, name := range names {
			released, left, err := r.begin(set, name)
			if err != nil {
				return err
			}
			r.result.Images = append(r.result.Images, CleanedImage{Name: name, Removed: []string{}, Freed: []string{}, Host: []string{}, Left: left})
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
			r.result.Images[i].RecordRemoved = len(image.Left) == 0 && r.in.Keep == nil && r.had[image.Name]
		}
		return err
	}
	if err := r.kube.records.Update(ctx, r.kube.namespace, r.consumer, begin); err != nil {
		return err
	}
	// From here on it is finished, whatever ends ctx: half of it would stay.
	finishing, cancel := kindnode.Outlive(ctx, undoLimit)
	defer cancel()
	measured := func(context.Context) {}
	if len(tags) > 0 {
		measured = r.measure(ctx)
	}
	done, err := r.client.releaseFrom(finishing, r.kube, r.cluster, r.consumer, tags)
	r.collect(tags, done)
	measured(finishing)
	if err != nil {
		return fmt.Errorf("%w\nwhat is left is noted in the record; run clean again when the cause is mended", err)
	}
	for i, image := range r.result.Images {
		r.result.Images[i].RecordRemoved = len(image.Left) == 0 && r.in.Keep == nil && r.had[image.Name]
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%w, but what had begun was finished: %s of consumer %s is clean", context.Cause(ctx), strings.Join(sortedKeys(tags), ", "), r.consumer)
	}
	return nil
}

// begin withdraws one record, unless containers run its tags.
func (r *cleanRun) begin(set *record.Set, name string) ([]string, []TagInUse, error) {
	if r.in.Keep != nil {
		tags, err := set.BeginTrim(name, record.Fact{Keep: *r.in.Keep, InUse: func(tag string) bool {
			return !r.in.Force && len(r.inUse([]string{tag})) > 0
		}})
		return tags, nil, err
	}
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

// old are those of the names that were recorded long enough ago.
func (r *cleanRun) old(set *record.Set, names []string) ([]string, error) {
	if r.in.OlderThan <= 0 {
		return names, nil
	}
	var old []string
	for _, name := range names {
		evidence, err := set.Entry(name)
		if err != nil {
			return nil, err
		}
		if evidence != nil && evidence.Recorded != nil && time.Since(evidence.Recorded.Time) > r.in.OlderThan {
			old = append(old, name)
		}
	}
	return old, nil
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
