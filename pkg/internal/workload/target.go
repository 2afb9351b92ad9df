package workload

import "time"

// Target is a workload that gets images: what is deployed, and then waited for.
type Target struct {
	ref    reference
	images []Image
	// otherwise says how long is waited where it has no image.
	otherwise Image
	// object is how it was seen last, and assigned which of its containers get the images.
	object   object
	assigned []assignment
	// patched: it was changed just now, so its pods are new.
	patched bool
	// past are the IDs of containers that do not count although their pod is ready:
	// those of a Pod's images of before, and those that had ended when their node was
	// asked.
	past map[string]bool
}

// timeout is the longest that one of the workload's images asks for; 0 is no limit.
func (t *Target) timeout() time.Duration {
	longest := t.otherwise.Timeout
	for _, image := range t.images {
		longest = max(longest, image.Timeout)
	}
	return longest
}

// maxRestarts is the largest that one of the images asks for; 0 is never.
func (t *Target) maxRestarts() int {
	most := t.otherwise.MaxRestarts
	for _, image := range t.images {
		if image.MaxRestarts == 0 {
			return 0
		}
		most = max(most, image.MaxRestarts)
	}
	return most
}
