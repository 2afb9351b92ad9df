package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

func (r *tagRun) claim(ctx context.Context) error {
	return r.kube.records.Update(ctx, r.kube.namespace, r.consumer, func(set *record.Set) error {
		return r.decide(set)
	})
}

// decide fills in the decisions from a set, writing claims into it.
func (r *tagRun) decide(set *record.Set) error {
	r.decisions = r.decisions[:0]
	clear(r.changed)
	var mistakes []error
	for _, wish := range r.wishes {
		wish, err := r.reconcile(set, wish)
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		decision, err := set.Claim(wish, r.client.holder, ociimage.Repository)
		if err == nil {
			err = r.checkTarget(decision)
		}
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		r.changed[wish.Name] = decision.Recorded == nil
		r.decisions = append(r.decisions, decision)
	}
	return errors.Join(mistakes...)
}

func (r *tagRun) owner(name string) string {
	return record.Owner(r.kube.namespace, r.consumer, name)
}

// checkTarget refuses a tag that a node has for something else, as far as the
// probe can tell; the nodes check again when they tag.
func (r *tagRun) checkTarget(decision record.Decision) error {
	for node, state := range r.states.All() {
		err := r.checkHeld(decision, node, state.ID(decision.Image), state.Owners[decision.Image])
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *tagRun) checkHeld(decision record.Decision, node, imageID, owner string) error {
	switch {
	case imageID != "" && imageID != decision.ImageID && r.in.Suite.TagGroup != "" && owner == r.owner(decision.Name):
		// Shared with other images: it moves.
	case imageID != "" && imageID != decision.ImageID && decision.Recorded != nil &&
		(owner == "" || owner == r.owner(decision.Name)):
		// The record's, given to another image by somebody else: it goes back.
	case imageID != "" && imageID != decision.ImageID:
		return &InconsistentError{
			fmt.Errorf("%s: on node %s %s is another image already, %s instead of %s\nchoose another --tag or --repository",
				decision.Name, node, decision.Image, ociimage.ShortID(imageID), ociimage.ShortID(decision.ImageID)),
		}
	case owner != "" && owner != r.owner(decision.Name) && owner != r.gives(decision):
		return &InconsistentError{fmt.Errorf("%s: on node %s %s belongs to another record, %s (namespace.consumer.name)\n"+
			"choose another --tag or --repository",
			decision.Name, node, decision.Image, owner)}
	}
	return nil
}

// gives is the owner that a name has on nodes because it was loaded with another
// namespace in mind, in which nothing was recorded since. "" for none.
func (r *tagRun) gives(decision record.Decision) string {
	entry := r.entries[decision.Name]
	if entry == nil || entry.Built == nil || entry.Image != decision.Image || entry.ImageID != decision.ImageID {
		return ""
	}
	for _, state := range r.states.All() {
		owner := state.Owners[decision.Image]
		namespace, ours := strings.CutSuffix(owner, "."+r.consumer+"."+decision.Name)
		if ours && namespace != r.kube.namespace && entry.ClusterOf(r.ca, namespace) == nil {
			return owner
		}
	}
	return ""
}

// tagNodes adds what is missing, on each node that lacks something.
// A claim is carried out on all nodes: what the probe saw there under its tag
// may have been on its way out.
func (r *tagRun) tagNodes(ctx context.Context) error {
	lacking := map[string]bool{}
	var ops []kindnode.TagOp
	for _, decision := range r.decisions {
		ops = append(ops, kindnode.TagOp{
			ImageID: decision.ImageID, Target: decision.Image, Owner: r.owner(decision.Name),
			From: r.gives(decision), Move: r.in.Suite.TagGroup != "" && decision.Recorded == nil,
			Back: decision.Recorded != nil,
		})
		for node, state := range r.states {
			if held := state.ID(decision.Image); held != "" && held != decision.ImageID && r.in.Suite.TagGroup != "" {
				r.moved[held] = true
			}
			if decision.Recorded == nil || state.ID(decision.Image) != decision.ImageID || state.Owners[decision.Image] == "" {
				lacking[node] = true
				r.changed[decision.Name] = true
			}
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	r.tagging = true
	nodes := sortedKeys(lacking)
	adding := r.client.report.Start(step("Adding", "Added",
		fmt.Sprintf("%s to %s", progress.Counted(len(ops), "tag"), nodesOf(nodes))))
	done, err := r.cluster.Tag(ctx, nodes, ops)
	if err == nil {
		err = r.checkTagged(done)
	}
	adding.End(err)
	return err
}

// checkTagged holds what the nodes say against what was decided.
func (r *tagRun) checkTagged(done map[string][]kindnode.Tagged) error {
	var mistakes []error
	for _, node := range sortedKeys(done) {
		for i, tagged := range done[node] {
			decision := r.decisions[i]
			if tagged.ImageID == "" {
				mistakes = append(mistakes, fmt.Errorf("%s: node %s has the tag %s, but its container runtime does not list it",
					decision.Name, node, decision.Image))
				continue
			}
			owner := tagged.Owner
			if tagged.ImageID != decision.ImageID {
				// It was to move, if it could.
				owner = ""
			}
			if err := r.checkHeld(decision, node, tagged.ImageID, owner); err != nil {
				mistakes = append(mistakes, err)
			}
		}
	}
	return errors.Join(mistakes...)
}
