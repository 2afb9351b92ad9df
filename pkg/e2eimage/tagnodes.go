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
	for node, state := range r.statesOf(image).All() {
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
		return &InconsistentError{taken.says("%s: on %s %s is another image already, %s instead of %s",
			decision.Name, nodesOf([]string{node}), decision.Image, ociimage.ShortID(imageID),
			ociimage.ShortID(decision.ImageID))}
	case owner != "" && owner != r.owner(decision.Name) && owner != from:
		return &InconsistentError{taken.says("%s: on %s %s belongs to another record, %s (namespace.consumer.name)",
			decision.Name, nodesOf([]string{node}), decision.Image, owner)}
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
	for _, state := range r.statesOf(image).All() {
		owner := state.Owners[decision.Image]
		namespace, ours := strings.CutSuffix(owner, "."+r.consumer+"."+decision.Name)
		if ours && namespace != r.kube.namespace && entry.ClusterOf(r.ca, namespace) == nil {
			return owner
		}
	}
	return ""
}

// missingTags are the parts of one store that lack something, and what to do on each of them.
type missingTags struct {
	parts []string
	// ops are one for each of the images.
	ops    []kindnode.TagOp
	images []*imageTag
}

// missing returns what lacks something, store by store. A claim is carried out on all nodes:
// what the probe saw there under its tag may have been on its way out.
func (r *tagRun) missing() []missingTags {
	byStore, lacking := map[string]*missingTags{}, map[string]map[string]bool{}
	shared := r.in.Suite.TagGroup != ""
	for _, image := range r.images {
		decision, part := image.decision, r.place.partOf(image.image)
		if byStore[part] == nil {
			byStore[part], lacking[part] = &missingTags{}, map[string]bool{}
		}
		of := byStore[part]
		of.images = append(of.images, image)
		of.ops = append(of.ops, kindnode.TagOp{
			ImageID: decision.ImageID, Target: decision.Image, Owner: r.owner(decision.Name),
			From: r.transferableFrom(image, decision), Move: shared && decision.Recorded == nil,
			Back: decision.Recorded != nil,
		})
		for node, state := range r.statesOf(image).All() {
			held := state.ID(decision.Image)
			if held != "" && held != decision.ImageID && shared {
				image.movedFrom = append(image.movedFrom, held)
			}
			if decision.Recorded == nil || held != decision.ImageID || state.Owners[decision.Image] == "" {
				lacking[part][node], image.changed = true, true
			}
		}
	}
	var all []missingTags
	for _, part := range sortedKeys(byStore) {
		of := byStore[part]
		for _, image := range of.images {
			image.onNodes = len(lacking[part]) > 0
		}
		if of.parts = sortedKeys(lacking[part]); len(of.parts) > 0 {
			all = append(all, *of)
		}
	}
	return all
}

// checkTagged holds what the parts of a store say against what was decided.
func (r *tagRun) checkTagged(images []*imageTag, done map[string][]kindnode.Tagged) error {
	var mistakes []error
	for _, node := range sortedKeys(done) {
		for i, tagged := range done[node] {
			image := images[i]
			decision := image.decision
			if tagged.ImageID == "" {
				mistakes = append(mistakes, fmt.Errorf("%s: %s has the tag %s, but its container runtime does not list it",
					decision.Name, nodesOf([]string{node}), decision.Image))
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
