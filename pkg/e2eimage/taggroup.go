package e2eimage

import (
	"fmt"
	"slices"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// groupTag is the tag that the images of a suite's tagGroup share, "" where there is
// no group: the one that a member has, else, and where a new one is asked for, one
// that is drawn with the group's name in place of an image's. recorded returns the
// recorded images of the members, also of those that nobody asked for.
func groupTag(suite config.Suite, consumer string, values config.TemplateValues, isNew bool, recorded func() []string) (string, error) {
	if suite.TagGroup == "" {
		return "", nil
	}
	if isNew && suite.Part {
		return "", &UsageError{fmt.Errorf("a new tag is for the whole tagGroup %s: give no NAME", suite.TagGroup)}
	}
	members := recordable(suite)
	for _, image := range members {
		if image.Tag != "" {
			return image.Tag, nil
		}
	}
	for _, image := range recorded() {
		if _, tag, err := ociimage.Split(image); err == nil && !isNew {
			return tag, nil
		}
	}
	for _, image := range members {
		image.Name = suite.TagGroup
		return drawTag(image, consumer, values)
	}
	return "", nil
}

// nextPrefix begins the names under which nodes have content that a shared tag is
// to move to.
func nextPrefix(recorded string) string { return ociimage.Repository(recorded) + ":e2eimage-next-" }

// loadedOnly are names that nodes have of a decision's image and that were loaded
// but never recorded: what a shared tag moved to, and what was built anew before it
// was tagged. Once something is recorded, they go.
func (r *tagRun) loadedOnly(set *record.Set, decision record.Decision) []string {
	keep := []string{decision.Image}
	if evidence, err := set.Entry(decision.Name); err == nil && evidence != nil {
		keep = append(keep, evidence.Tags()...)
	}
	if r.lock != nil {
		keep = append(keep, r.lock.recordedImages()...)
		// Another run may have built and loaded the next one meanwhile.
		if lock, err := r.lock.file.Read(); err == nil {
			keep = append(keep, imagesOf(lock)...)
		}
	}
	found := map[string]bool{}
	for _, state := range r.states {
		for name, owner := range state.Owners {
			if owner == r.owner(decision.Name) && !slices.Contains(keep, name) {
				found[name] = true
			}
		}
	}
	return sortedKeys(found)
}

// recordedImages are those that the lock has.
func (l *locks) recordedImages() []string {
	if l == nil {
		return nil
	}
	return imagesOf(l.current())
}

func imagesOf(lock *record.Lock) []string {
	var images []string
	for _, name := range lock.Names() {
		if image := lock.Images[name].Image; image != "" {
			images = append(images, image)
		}
	}
	return images
}
