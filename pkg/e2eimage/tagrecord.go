package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/outlive"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// complete records what is now true, and takes away the tags of claims that
// nobody finished.
func (r *tagRun) complete(ctx context.Context) error {
	release := map[string][]string{}
	inUse := r.inUse(ctx)
	err := r.kube.records.Update(ctx, r.kube.namespace, r.consumer, func(set *record.Set) error {
		clear(release)
		var mistakes []error
		for _, image := range r.images {
			decision := image.decision
			leftOver := r.leftOver(set, decision)
			var err error
			if decision.Recorded != nil {
				err = r.stillRecorded(set, image)
			} else {
				leftOver, err = set.Complete(r.fact(image, inUse, leftOver))
			}
			mistakes = append(mistakes, err)
			// What is in use stays, noted or by its label, for another run.
			leftOver = slices.DeleteFunc(leftOver, func(tag string) bool { return !isNext(tag) && inUse(tag) })
			if len(leftOver) > 0 {
				release[decision.Name] = leftOver
			}
		}
		return errors.Join(mistakes...)
	})
	if err != nil {
		return err
	}
	finishing, cancel := outlive.WithGracePeriod(ctx, undoLimit)
	defer cancel()
	if err := r.client.release(finishing, r.kube, r.place, r.consumer, release); err != nil {
		r.client.report.Warn(fmt.Sprintf("tags of an unfinished run stay on nodes for now: %v", err))
	}
	if moved := r.movedFrom(); len(moved) > 0 {
		if err := r.place.Free(finishing, r.place.Names(), moved); err != nil {
			r.client.report.Warn(fmt.Sprintf("the image that a shared tag named before stays on nodes for now: %v", err))
		}
	}
	return nil
}

// movedFrom are the image IDs that shared tags stood for before, each once.
func (r *tagRun) movedFrom() []string {
	var all []string
	for _, image := range r.images {
		all = append(all, image.movedFrom...)
	}
	return slices.Compact(slices.Sorted(slices.Values(all)))
}

// fact is what is recorded of an image.
func (r *tagRun) fact(image *imageTag, inUse func(string) bool, leftOver []string) record.Fact {
	decision := image.decision
	fact := record.Fact{
		Keep: r.in.Suite.KeepPrevious, InUse: inUse, LeftOver: leftOver,
		Name: decision.Name, Image: decision.Image, ImageID: decision.ImageID, By: r.client.by(),
		Source: image.source, Platform: r.states.Platform(), Nodes: r.nodesOf(image),
		Registry: r.pulledAs(image),
	}
	if entry := image.entry; entry != nil && entry.ImageID == decision.ImageID && !image.useCluster {
		fact.Engine, fact.EngineID, fact.Commit = entry.Engine, entry.EngineID, entry.Commit
	}
	r.addHost(&fact, image.compared)
	return fact
}

// addHost notes which engine of this host has the image, and what the nodes have under
// the source's name instead of it: then it can be told later what is newer, also without
// a lock.
func (r *tagRun) addHost(fact *record.Fact, k *comparison) {
	if fact.EngineID == "" && k.host.ImageID == fact.ImageID {
		fact.Engine, fact.EngineID = k.host.Engine, k.host.EngineID
	}
	if fact.Engine != "" || fact.EngineID != "" {
		fact.Host = r.client.host
	}
	named := nodesFacts(fact.Source, r.place.of(k.image, r.states)).Source
	if len(named) == 1 && named[0] != fact.ImageID {
		fact.SourceWas = named[0]
	}
}

// inUse returns a function that tells whether something uses a tag. Nodes and API are asked
// once, and only where a tag may have to go; where they do not answer, it stays.
func (r *tagRun) inUse(ctx context.Context) func(tag string) bool {
	var users *users
	return func(tag string) bool {
		if users == nil {
			var err error
			if users, err = r.client.askUsers(ctx, r.kube, r.place); err != nil {
				r.client.report.Warn(fmt.Sprintf("%s stays on nodes for now: cannot tell what uses it: %v", tag, err))
				return true
			}
		}
		return len(users.of(tag)) > 0
	}
}

// undo takes back what this run claimed and tagged, and returns the images. It has its own
// bounded context: the run's own may be what ended it.
func (r *tagRun) undo(ctx context.Context) (images []string, err error) {
	decided := r.decided()
	if len(decided) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoLimit)
	defer cancel()
	release := map[string][]string{}
	err = r.kube.records.Update(ctx, r.kube.namespace, r.consumer, func(set *record.Set) error {
		clear(release)
		images = nil
		for _, image := range decided {
			ours, err := r.abandon(set, image)
			if err != nil {
				return err
			}
			if ours {
				release[image.decision.Name] = []string{image.decision.Image}
				images = append(images, image.decision.Image)
			}
		}
		return nil
	})
	if err == nil {
		err = r.giveBack(ctx, release)
	}
	if err == nil {
		err = errors.Join(r.client.release(ctx, r.kube, r.place, r.consumer, release), r.moveBack(ctx))
	}
	if err != nil {
		return nil, fmt.Errorf("could not undo everything: %w\nthe record keeps what is left; fix the cause, then run: %s",
			err, r.finish())
	}
	return images, nil
}

// finish is what to type where undoing was not possible: tag where something is recorded,
// which clean would take away, too.
func (r *tagRun) finish() string {
	verb, more := "clean", " --scope=cluster"
	var names []string
	for _, image := range r.images {
		if names = append(names, image.image.Name); image.had {
			verb, more = "tag", ""
		}
	}
	return typedAt(verb, strings.Join(names, " "), r.kube.namespace, r.consumer, r.in.Suite) + more
}

// giveBack leaves names to nobody that were there, and nobody's, before this run: they
// are not its to remove.
func (r *tagRun) giveBack(ctx context.Context, release map[string][]string) error {
	for _, image := range r.decided() {
		decision := image.decision
		had := slices.DeleteFunc(r.statesOf(image).Nodes(), func(node string) bool {
			return r.states[node].ID(decision.Image) == "" || r.states[node].Owners[decision.Image] != ""
		})
		if len(had) == 0 || !slices.Contains(release[decision.Name], decision.Image) {
			continue
		}
		if err := r.place.Disown(ctx, had, []kindnode.UntagOp{{
			Name: decision.Image, Owner: r.owner(decision.Name),
		}}); err != nil {
			return err
		}
	}
	return nil
}

// moveBack lets shared tags that this run moved, or may have, stand for what the
// record says they do.
func (r *tagRun) moveBack(ctx context.Context) error {
	if r.in.Suite.TagGroup == "" {
		return nil
	}
	set, err := r.kube.records.Get(ctx, r.kube.namespace, r.consumer)
	if err != nil {
		return err
	}
	var ops []kindnode.TagOp
	var back []record.Decision
	for _, image := range r.decided() {
		decision := image.decision
		if !image.onNodes {
			continue
		}
		was, err := set.Moving(decision.Name, decision.Image, decision.ImageID)
		if err != nil {
			return err
		}
		if was != nil {
			ops = append(ops, kindnode.TagOp{
				ImageID: was.ImageID, Target: decision.Image, Owner: r.owner(decision.Name),
				Move: true,
			})
			back = append(back, decision)
		}
	}
	if len(ops) == 0 {
		return nil
	}
	if _, err := r.place.Tag(ctx, r.place.Names(), ops); err != nil {
		return err
	}
	return r.kube.records.Update(ctx, r.kube.namespace, r.consumer, func(set *record.Set) error {
		for _, decision := range back {
			if err := set.MovedBack(decision.Name, decision.Image); err != nil {
				return err
			}
		}
		return nil
	})
}

// stillRecorded makes sure that a tag which was recorded when this run began,
// and which it put back on nodes, was not cleaned meanwhile.
func (r *tagRun) stillRecorded(set *record.Set, image *imageTag) error {
	if !image.onNodes {
		return nil
	}
	gone, err := withdrawn(set, image.decision)
	if gone {
		return &record.SupersededError{Name: image.decision.Name, Ours: image.decision.Image, Theirs: "nothing"}
	}
	return err
}

// abandon gives a decision up, and tells whether its tag has to be taken off the
// nodes by this run.
func (r *tagRun) abandon(set *record.Set, image *imageTag) (bool, error) {
	decision := image.decision
	if decision.Recorded == nil {
		tag, err := set.Abandon(decision.Name, decision.Image, r.client.holder)
		if err != nil || tag != "" {
			return tag != "", err
		}
	}
	if !image.onNodes {
		return false, nil
	}
	return withdrawn(set, decision)
}

// rootCause prefers, as the cause of a failure on the nodes, that somebody took the
// claim away meanwhile, and with it the tag from under this run.
func (r *tagRun) rootCause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	set, failed := r.kube.records.Get(ctx, r.kube.namespace, r.consumer)
	if failed != nil {
		return err
	}
	for _, image := range r.images {
		if gone, failed := withdrawn(set, image.decision); gone && failed == nil {
			return &record.SupersededError{
				Name: image.decision.Name, Ours: image.decision.Image, Theirs: "nothing",
			}
		}
	}
	return err
}

// withdrawn tells whether nothing stands behind the decided tag any more. Who
// withdrew the claim took the tag off the nodes, too, but perhaps before this
// run put it there.
func withdrawn(set *record.Set, decision record.Decision) (bool, error) {
	evidence, err := set.Entry(decision.Name)
	if err != nil || evidence == nil || evidence.State == record.Releasing {
		return err == nil, err
	}
	isOurs := func(previous record.Previous) bool { return previous.Image == decision.Image }
	claimed := evidence.Claim != nil && evidence.Claim.Image == decision.Image
	return evidence.Image != decision.Image && !claimed && !slices.ContainsFunc(evidence.Previous, isOurs), nil
}
