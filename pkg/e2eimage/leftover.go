package e2eimage

import (
	"slices"
	"strings"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// loadGrace is how long a name may be on nodes before it is recorded: another run, with
// another lock, may be about to do so.
const loadGrace = 10 * time.Minute

// nextTag begins the tags under which nodes have content that a shared tag is to move to.
const nextTag = ":e2eimage-next-"

// nextName is such a name for an image ID.
func nextName(recorded, imageID string) string {
	_, digest, _ := strings.Cut(imageID, ":")
	return ociimage.Repository(recorded) + nextTag + digest[:12]
}

// isNext tells whether a name is one that no workload was ever given.
func isNext(name string) bool { return strings.Contains(name, nextTag) }

// leftOver are names that nodes have of a decision's image and that should go: those
// that a run of before noted and did not take off, and those that were loaded but never
// recorded, as what a shared tag moved to, what was rebuilt before it was tagged, and
// what a killed run left. Where nothing new is recorded, these have to be of some age.
func (r *tagRun) leftOver(set *record.Set, decision record.Decision) []string {
	var noted []string
	keep := []string{decision.Image}
	if evidence, err := set.Entry(decision.Name); err == nil && evidence != nil {
		keep = append(keep, evidence.Tags()...)
		if decision.Recorded != nil {
			noted = slices.Clone(evidence.Release)
		}
	}
	if r.lock != nil {
		keep = append(keep, r.lock.recordedImages()...)
		// Another run may have built and loaded the next one meanwhile.
		if locked, err := r.lock.file.Read(); err == nil {
			keep = append(keep, imagesOf(locked)...)
		}
	}
	found := map[string]bool{}
	for owned := range r.states.Owners() {
		young := decision.Recorded != nil && time.Since(owned.Since) < loadGrace
		if owned.Owner == r.owner(decision.Name) && !young && !slices.Contains(keep, owned.Name) {
			found[owned.Name] = true
		}
	}
	return append(noted, sortedKeys(found)...)
}
