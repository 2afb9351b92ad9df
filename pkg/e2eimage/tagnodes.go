package e2eimage

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// decide fills in the decisions from a set, writing claims into it.
func (r *tagRun) decide(set *record.Set) error {
	var mistakes []error
	for _, image := range r.images {
		image.decision, image.changed = record.Decision{}, false
		if err := r.reconcile(set, image); err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		decision, err := set.Claim(image.wish, r.client.holder, ociimage.Repository)
		if err == nil {
			err = r.checkTarget(image, decision)
		}
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		image.changed = decision.Recorded == nil
		image.decision = decision
	}
	return errors.Join(mistakes...)
}

// decided are the images of which the tag is decided.
func (r *tagRun) decided() []*imageTag {
	return slices.DeleteFunc(slices.Clone(r.images), func(image *imageTag) bool { return image.decision.Name == "" })
}

func (r *tagRun) owner(name string) string {
	return record.Owner(r.kube.namespace, r.consumer, name)
}

// checkTarget refuses a tag that a node has for something else, as far as the
// probe can tell; the nodes check again when they tag.
func (r *tagRun) checkTarget(image *imageTag, decision record.Decision) error {
	from := r.transferableFrom(image, decision)
	for node, state := range r.states.All() {
		err := r.checkHeld(decision, node, state.ID(decision.Image), state.Owners[decision.Image], from)
		if err != nil {
			return err
		}
	}
	return nil
}

// checkHeld refuses a tag that is another image on a node, or another record's; from is an
// owner that gives way.
func (r *tagRun) checkHeld(decision record.Decision, node, imageID, owner, from string) error {
	taken := &Error{
		Code: CodeConflict, Image: decision.Name, Node: node, Fix: "choose another --tag or --repository",
	}
	switch {
	case imageID != "" && imageID != decision.ImageID && r.in.Suite.TagGroup != "" && owner == r.owner(decision.Name):
		// Shared with other images: it moves.
	case imageID != "" && imageID != decision.ImageID && decision.Recorded != nil &&
		(owner == "" || owner == r.owner(decision.Name)):
		// The record's, given to another image by somebody else: it goes back.
	case imageID != "" && imageID != decision.ImageID:
		return &InconsistentError{taken.says("%s: on node %s %s is another image already, %s instead of %s",
			decision.Name, node, decision.Image, ociimage.ShortID(imageID), ociimage.ShortID(decision.ImageID))}
	case owner != "" && owner != r.owner(decision.Name) && owner != from:
		return &InconsistentError{taken.says("%s: on node %s %s belongs to another record, %s (namespace.consumer.name)",
			decision.Name, node, decision.Image, owner)}
	}
	return nil
}

// transferableFrom is the owner that a name has on nodes because it was loaded with another
// namespace in mind, in which nothing was recorded since. "" for none.
func (r *tagRun) transferableFrom(image *imageTag, decision record.Decision) string {
	entry := image.entry
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

// missing returns the nodes that lack something, and what to do on each of them.
// A claim is carried out on all nodes: what the probe saw there under its tag
// may have been on its way out.
func (r *tagRun) missing() (nodes []string, ops []kindnode.TagOp) {
	lacking := map[string]bool{}
	shared := r.in.Suite.TagGroup != ""
	for _, image := range r.images {
		decision := image.decision
		ops = append(ops, kindnode.TagOp{
			ImageID: decision.ImageID, Target: decision.Image, Owner: r.owner(decision.Name),
			From: r.transferableFrom(image, decision), Move: shared && decision.Recorded == nil,
			Back: decision.Recorded != nil,
		})
		for node, state := range r.states.All() {
			held := state.ID(decision.Image)
			if held != "" && held != decision.ImageID && shared {
				image.movedFrom = append(image.movedFrom, held)
			}
			if decision.Recorded == nil || held != decision.ImageID || state.Owners[decision.Image] == "" {
				lacking[node], image.changed = true, true
			}
		}
	}
	for _, image := range r.images {
		image.onNodes = len(lacking) > 0
	}
	return sortedKeys(lacking), ops
}

// checkTagged holds what the nodes say against what was decided.
func (r *tagRun) checkTagged(done map[string][]kindnode.Tagged) error {
	var mistakes []error
	for _, node := range sortedKeys(done) {
		for i, tagged := range done[node] {
			image := r.images[i]
			decision := image.decision
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
			from := r.transferableFrom(image, decision)
			if err := r.checkHeld(decision, node, tagged.ImageID, owner, from); err != nil {
				mistakes = append(mistakes, err)
			}
		}
	}
	return errors.Join(mistakes...)
}
