package e2eimage

import (
	"context"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/images"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/registry"
)

// imageStore is where a cluster has its images, and what the verbs do there, whichever store
// it is. The nodes of a Kind cluster are one, a registry is another. What only nodes can do, as
// copying from one to the other, is asked of them.
//
// A store has parts that each have an image or not: the nodes, or one registry.
type imageStore interface {
	// Names are the parts, sorted.
	Names() []string

	// Probe tells what is there, ProbeContent also what that consists of.
	Probe(ctx context.Context) (images.States, error)
	ProbeContent(ctx context.Context) (images.States, error)

	// Deliver puts an image into parts, once it is read; GiveNames names one that they have.
	Deliver(ctx context.Context, what images.Delivering) images.Delivery
	GiveNames(ctx context.Context, parts []string, imageID string, names []images.Name) error

	// Tag adds names that a record owns.
	Tag(ctx context.Context, parts []string, ops []images.TagOp) (map[string][]images.Tagged, error)

	// Untag takes such names away, Disown leaves them to nobody, and Free takes away images that
	// then nothing names or runs.
	Untag(ctx context.Context, parts []string, ops []images.UntagOp) (map[string][]images.Untagged, error)
	Disown(ctx context.Context, parts []string, ops []images.UntagOp) error
	Free(ctx context.Context, parts, imageIDs []string) error

	// ProbeUse tells what is there and what runs it, Containers only what runs in parts.
	ProbeUse(ctx context.Context) (images.States, error)
	Containers(ctx context.Context, parts []string) (images.States, error)

	Close()
}

var (
	_ imageStore = (*kindnode.Cluster)(nil)
	_ imageStore = (*registry.Part)(nil)
)
