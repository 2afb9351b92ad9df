package images

import (
	"context"

	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// Watcher is told what a node has got.
type Watcher func(node string, bytes int64)

// Delivering is what a delivery begins with.
type Delivering struct {
	// Parts that get the image, and what all parts have.
	Parts  []string
	States States
	// Known is the image as far as it is known, or nothing; Names are those that it will get,
	// where that is known. In a registry they are in Repository.
	Known      ociimage.Image
	Names      []Name
	Repository string
	Watch      Watcher
}

// Delivery is one image on its way into parts of a store. It is fed with the image's layers,
// and ends with Finish or Abort.
type Delivery interface {
	ociimage.Receiver
	// Finish makes the image whole on every part, names it there and on the others, which had
	// it, and waits until all have it. It returns what became of each part.
	Finish(ctx context.Context, image ociimage.Image, names []Name, others []string) (map[string]Delivered, error)
	// Abort takes back what was not finished.
	Abort()
}

// whole is a delivery into a place that keeps images as they were written, with those of all
// platforms.
type whole interface {
	// ReadWhole takes all that a source has, and returns its image. ok is false, and nothing was
	// taken, where it has only one platform's layers.
	ReadWhole(ctx context.Context, source ociimage.Source) (image ociimage.Image, ok bool, err error)
}

// Read feeds a delivery from a source: with all of it where both sides can, else with the
// layers that are wanted. It returns the image, which is to be finished.
func Read(ctx context.Context, source ociimage.Source, to Delivery) (ociimage.Image, error) {
	if to, ok := to.(whole); ok {
		if image, ok, err := to.ReadWhole(ctx, source); ok || err != nil {
			return image, err
		}
	}
	return source.Read(ctx, to)
}

// Delivered is what became of an image on one node.
type Delivered struct {
	// Sent are the bytes that the node got, Layers how many layers they were.
	Sent   int64
	Layers int
	// Bytes of all the image's layers.
	Bytes int64
	// Blobs are the layers that the node has as they were sent, with their sizes.
	Blobs map[digest.Digest]int64
}
