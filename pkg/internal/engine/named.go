package engine

import (
	"context"
	"fmt"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// namedSource says in errors where the image comes from.
type namedSource struct {
	ociimage.Source
	name string
}

func named(name string, source ociimage.Source) ociimage.Source { return namedSource{source, name} }

// Read implements ociimage.Source.
func (n namedSource) Read(ctx context.Context, to ociimage.Receiver) (ociimage.Image, error) {
	image, err := n.Source.Read(ctx, to)
	if err != nil {
		return image, fmt.Errorf("%s: %w", n.name, err)
	}
	return image, nil
}

// Unwrap returns the source itself.
func (n namedSource) Unwrap() ociimage.Source { return n.Source }
