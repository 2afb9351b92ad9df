package kube

import "time"

// Target is a workload that gets images: what is deployed, and then waited for.
type Target struct {
	Ref    Reference
	Images []Image
	// Defaults says how long is waited where it has no image.
	Defaults Image
	// Object is how it was seen last, and assigned which of its containers get the images.
	Object   Object
	Assigned []Assignment
	// Patched: it was changed just now, so its pods are new.
	Patched bool
	// Stale are the IDs of containers that do not count although their pod is ready:
	// those of a Pod's images of before, and those that had ended when their node was
	// asked.
	Stale map[string]bool
}

// Timeout is the longest that one of the workload's images asks for; 0 is no limit.
func (t *Target) Timeout() time.Duration {
	longest := t.Defaults.Timeout
	for _, image := range t.Images {
		longest = max(longest, image.Timeout)
	}
	return longest
}

// MaxRestarts is the largest that one of the images asks for; 0 is never.
func (t *Target) MaxRestarts() int {
	most := t.Defaults.MaxRestarts
	for _, image := range t.Images {
		if image.MaxRestarts == 0 {
			return 0
		}
		most = max(most, image.MaxRestarts)
	}
	return most
}
