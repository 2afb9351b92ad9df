package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/outlive"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

func (c *Client) cleanCluster(ctx context.Context, in CleanInput) (*CleanResult, error) {
	kube, err := c.kube(in.Suite)
	if err != nil {
		return nil, err
	}
	place, states, err := c.inUse(ctx, kube, func() (*place, error) { return c.openToClean(ctx, kube, in) })
	if err != nil {
		return nil, err
	}
	defer place.Close()
	if in.All {
		if in.Suite, err = c.allRecorded(ctx, kube, in.Suite, states); err != nil {
			return nil, err
		}
		if len(in.Suite.Images) == 0 {
			return c.nothingAtAll(in.Suite, "in namespace "+kube.namespace), nil
		}
	}
	if err := c.goneNamespace(ctx, kube, in.Suite, states); err != nil {
		return nil, err
	}
	set, lock, names, err := c.cleanSet(ctx, in, kube, states)
	if err = c.nothingLeft(in, err); err != nil {
		return nil, err
	}
	if set == nil {
		return &CleanResult{Consumer: in.Suite.Consumer, Namespace: kube.namespace, Images: []CleanedImage{}}, nil
	}
	run := &cleanRun{
		client: c, in: in, kube: kube, place: place, consumer: set.Consumer, states: states, lock: lock,
		had: map[string]bool{}, damaged: map[string]bool{},
		result: &CleanResult{Consumer: set.Consumer, Namespace: kube.namespace, Images: []CleanedImage{}},
	}
	if err := run.here(ctx, set, names); err != nil {
		return nil, err
	}
	if names, err = run.old(set, names); err != nil {
		return nil, err
	}
	if !in.Force {
		if run.users, err = c.users(ctx, kube, states); err != nil {
			return nil, err
		}
	}
	err = run.carryOut(ctx, names)
	if err == nil {
		err = run.lockToo(ctx)
	}
	if err == nil {
		err = run.left()
	}
	return run.result, err
}

// openToClean opens the place where the images are that are recorded for the consumer.
func (c *Client) openToClean(ctx context.Context, kube *apiServer, in CleanInput) (*place, error) {
	sets, err := kube.setsFor(ctx, in.Suite)
	if err != nil {
		return nil, err
	}
	names := recordedNames(in.Suite)
	return c.openRecorded(ctx, kube, in.Suite, sets, func(_ *record.Set, name string) bool {
		return in.All || slices.Contains(names, name)
	})
}

// cleanRun is one run of Clean in a cluster.
type cleanRun struct {
	client   *Client
	in       CleanInput
	kube     *apiServer
	place    *place
	consumer string
	states   kindnode.States
	// users is nil where it does not matter what uses a tag.
	users *users
	lock  *locks
	// had are the names that had records, damaged those whose record was not to be
	// believed and went without its tags.
	had, damaged map[string]bool
	result       *CleanResult
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
			r.result.Images = append(r.result.Images, CleanedImage{
				Name: name, Removed: []string{}, Freed: []string{},
				Host: []string{}, Left: left,
			})
			if released != nil {
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
		}
		r.noteRecords()
		return err
	}
	if err := r.kube.records.Update(ctx, r.kube.namespace, r.consumer, begin); err != nil {
		return err
	}
	// From here on it is finished, whatever ends ctx: half of it would stay.
	finishing, cancel := outlive.WithGracePeriod(ctx, undoLimit)
	defer cancel()
	measured := func(context.Context) {}
	if len(tags) > 0 {
		measured = r.measure(ctx)
	}
	done, err := r.client.releaseFrom(finishing, r.kube, r.place, r.consumer, tags)
	r.collect(tags, done)
	measured(finishing)
	if err != nil {
		return fmt.Errorf("%w\nthe record keeps what is left; fix the cause, then run clean again", err)
	}
	r.noteRecords()
	if ctx.Err() != nil {
		return fmt.Errorf("%w, but what had begun was finished: %s of consumer %s is clean", context.Cause(ctx),
			strings.Join(sortedKeys(tags), ", "), r.consumer)
	}
	return nil
}

// noteRecords says which records are gone.
func (r *cleanRun) noteRecords() {
	for i, image := range r.result.Images {
		r.result.Images[i].RecordRemoved = (len(image.Left) == 0 || r.damaged[image.Name]) && r.in.Keep == nil &&
			r.had[image.Name]
	}
}

// left is an error where something was left that was to go, or would be. Of what is old,
// or of before, whatever may go does, and the rest another time.
func (r *cleanRun) left() error {
	if r.in.Keep != nil || r.in.OlderThan > 0 {
		return nil
	}
	var names []string
	failed := &InUseError{DryRun: r.in.DryRun}
	for _, image := range r.result.Images {
		if len(image.Left) > 0 && !r.damaged[image.Name] {
			names = append(names, image.Name)
			failed.Left = append(failed.Left, image.Left...)
		}
	}
	if len(names) == 0 {
		return nil
	}
	failed.mend = typedAt("clean", strings.Join(names, " "), r.kube.namespace, r.consumer, r.in.Suite)
	return &InconsistentError{failed}
}

// begin withdraws one record, unless something uses its tags. It returns nil tags where
// nothing is taken away.
func (r *cleanRun) begin(set *record.Set, name string) ([]string, []TagInUse, error) {
	if r.in.Keep != nil {
		var left []TagInUse
		tags, err := set.BeginTrim(name, record.Fact{Keep: *r.in.Keep, InUse: func(tag string) bool {
			using := r.inUse(tag)
			left = append(left, using...)
			return len(using) > 0
		}})
		return tags, left, err
	}
	owned := r.ownedTags(name)
	if left := r.inUse(owned...); len(left) > 0 {
		// A record that nobody believes keeps nothing alive; tag makes another, for the
		// same tags.
		if _, err := set.Entry(name); record.Damaged(err) {
			r.damaged[name] = true
			return nil, left, set.Drop(name)
		}
		return nil, left, nil
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
	return append([]string{}, owned...), nil, nil
}

// here is an error for what was never brought into this namespace, but into another one:
// its host copies and its lock entry are of the record there.
func (r *cleanRun) here(ctx context.Context, set *record.Set, names []string) error {
	if r.lock == nil {
		return nil
	}
	ca, err := r.kube.fingerprint(ctx, r.states)
	if err != nil {
		return err
	}
	var mistakes []error
	for _, name := range names {
		entry := r.lock.current().Images[name]
		if entry == nil || slices.Contains(set.Names(), name) || entry.ClusterOf(ca, r.kube.namespace) != nil ||
			len(r.ownedTags(name)) > 0 {
			continue
		}
		for _, carried := range entry.Clusters {
			if carried.CA == ca {
				mistakes = append(mistakes,
					fmt.Errorf("nothing is recorded for %s in namespace %q, but in namespace %q\nclean it there: %s",
						name, r.kube.namespace, carried.Namespace, typedAt("clean", name, carried.Namespace, r.consumer, r.in.Suite)))
				break
			}
		}
	}
	return errors.Join(mistakes...)
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
	return r.states.OwnedBy(record.Owner(r.kube.namespace, r.consumer, name))
}

// inUse finds what uses the tags, as far as that matters.
func (r *cleanRun) inUse(tags ...string) []TagInUse {
	if r.users == nil {
		return nil
	}
	return r.users.of(tags...)
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
