package kube

import (
	"strings"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// Image is a recorded image and where it belongs.
type Image struct {
	// Name of the image in records, like datastorage.
	Name string
	// Image is `<repository>:<tag>`, of a registry with @ and its digest there, ImageID its
	// identity "sha256:<64 hex>".
	Image, ImageID string
	// Tagged is the same without its digest, which will do as well; "" where there is none.
	Tagged string
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

// Is tells whether a container that asks for a reference gets the image.
func (i Image) Is(reference string) bool {
	if reference == i.Image || i.Tagged != "" && reference == i.Tagged {
		return true
	}
	// As Kustomize writes it, the digest alone says it.
	tagged, digest, ok := strings.Cut(i.Image, "@")
	return ok && reference == ociimage.Repository(tagged)+"@"+digest
}
