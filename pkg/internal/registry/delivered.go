package registry

import (
	"context"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/images"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// delivered is a delivery that names what it brought.
type delivered struct {
	part *Part
	to   *Delivery
	// err is why it could not begin.
	err error
}

var _ images.Delivery = (*delivered)(nil)

// Wants implements ociimage.Receiver.
func (d *delivered) Wants(ctx context.Context, diffID digest.Digest) (bool, error) {
	if d.err != nil {
		return false, d.err
	}
	return d.to.Wants(ctx, diffID)
}

// Layer implements ociimage.Receiver.
func (d *delivered) Layer(ctx context.Context, diffID digest.Digest, content io.Reader) (digest.Digest, error) {
	if d.err != nil {
		return "", d.err
	}
	return d.to.Layer(ctx, diffID, content)
}

// Finish implements images.Delivery.
func (d *delivered) Finish(ctx context.Context, image ociimage.Image, names []images.Name, _ []string,
) (map[string]images.Delivered, error) {
	if d.err != nil {
		return nil, d.err
	}
	content, err := d.to.Finish(ctx, image)
	if err != nil {
		return nil, err
	}
	d.part.remember(content)
	done := images.Delivered{Sent: d.to.Sent(), Layers: d.to.Layers(), Blobs: map[digest.Digest]int64{}}
	for i, layer := range content.Images[0].layers {
		done.Bytes += layer.Size
		done.Blobs[image.DiffIDs[i]] = layer.Size
	}
	return map[string]images.Delivered{d.part.Name(): done},
		d.part.GiveNames(ctx, d.part.Names(), image.ID.String(), names)
}

// Abort implements images.Delivery.
func (d *delivered) Abort() {
	if d.to != nil {
		d.to.Abort()
	}
}

// elsewhereError says that a name is not in the registry where images go.
type elsewhereError struct{ name, registry string }

func (e *elsewhereError) Error() string {
	return fmt.Sprintf("%s is not in the registry %s, where images go", e.name, e.registry)
}
