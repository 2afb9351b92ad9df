package e2eimage

import (
	"fmt"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// groupTag is the tag that the images of a suite's tagGroup share, "" where there is
// no group: the one that a member has, else, and where a new one is asked for, one
// that is drawn with the group's name in place of an image's. recorded returns the
// recorded images of the members, also of those that nobody asked for.
func groupTag(suite config.Suite, consumer string, values config.TemplateValues, isNew bool,
	recorded func() []string,
) (string, error) {
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

// membersIn are the images that lock and records have.
func membersIn(lock *locks, records *record.Set) func() []string {
	return func() []string {
		images := lock.recordedImages()
		for _, name := range records.Names() {
			// What is wrong with one is told with its own wish.
			if evidence, err := records.Entry(name); err == nil && evidence != nil {
				images = append(images, evidence.Image)
			}
		}
		return images
	}
}

// recordedImages are those that the lock has.
func (l *locks) recordedImages() []string {
	if l == nil {
		return nil
	}
	return imagesOf(l.current())
}

func imagesOf(locked *lock.Lock) []string {
	var images []string
	for _, name := range locked.Names() {
		if image := locked.Images[name].Image; image != "" {
			images = append(images, image)
		}
	}
	return images
}
