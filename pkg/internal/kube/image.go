package kube

import "time"

// Image is a recorded image and where it belongs.
type Image struct {
	// Name of the image in records, like datastorage.
	Name string
	// Image is `<repository>:<tag>`, of a registry with @ and its digest there, ImageID its
	// identity "sha256:<64 hex>".
	Image, ImageID string
	// Pulled: nodes pull it from a registry; else they have it.
	Pulled bool
	// Aliases are other references and repositories that mean this image: a
	// container that has one of them, in any tag, is the image's.
	Aliases []string
	// Accompanies: manifests need not have it.
	Accompanies bool
	// Workloads as [NAMESPACE/]KIND/NAME, with kubectl's short kinds.
	Workloads []string
	// Containers to set; empty for those that an alias matches, else the only one.
	Containers []string
	// PullPolicy to set: Never or IfNotPresent; "" keeps it, but Always becomes
	// Never where nodes have it, and both become IfNotPresent where they pull it.
	PullPolicy string
	// Timeout of the rollout; 0 leaves it to the context.
	Timeout time.Duration
	// MaxRestarts of a crash loop before it is given up, 0 for never.
	MaxRestarts int
}
