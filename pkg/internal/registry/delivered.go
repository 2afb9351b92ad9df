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
	// repository as it is reached from here, and the layers that the registry has.
	repository string
	has        Layers
	watch      Watcher
	// whole is what came as it was written; nil where only layers came.
	whole *Pushed
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

// ReadWhole pushes what the source has as it was written, where that is a layout with all that
// its index lists.
func (d *delivered) ReadWhole(ctx context.Context, source ociimage.Source) (ociimage.Image, bool, error) {
	stored, ok := ociimage.StoredIn(source)
	image, known := source.Image()
	if d.err != nil || !ok || !known {
		return ociimage.Image{}, false, d.err
	}
	pushed, whole, err := d.part.store.PushWhole(ctx, d.repository, stored, d.has, d.watch)
	if err != nil || !whole {
		return ociimage.Image{}, false, err
	}
	if !pushed.Has(image.ID) {
		return ociimage.Image{}, false, &LostError{Name: d.repository, Digest: image.ID}
	}
	d.whole = &pushed
	return image, true, nil
}

// Finish implements images.Delivery.
func (d *delivered) Finish(ctx context.Context, image ociimage.Image, names []images.Name, _ []string,
) (map[string]images.Delivered, error) {
	if d.err != nil {
		return nil, d.err
	}
	content, done, err := d.finish(ctx, image)
	if err != nil {
		return nil, err
	}
	d.part.remember(content)
	if platform, ok := content.Image(image.Platform); ok && len(platform.layers) == len(image.DiffIDs) {
		for i, layer := range platform.layers {
			done.Bytes += layer.Size
			done.Blobs[image.DiffIDs[i]] = layer.Size
		}
	}
	return map[string]images.Delivered{d.part.Name(): done},
		d.part.GiveNames(ctx, d.part.Names(), image.ID.String(), names)
}

// finish returns what the registry has got, and how much went there.
func (d *delivered) finish(ctx context.Context, image ociimage.Image) (Content, images.Delivered, error) {
	done := images.Delivered{Blobs: map[digest.Digest]int64{}}
	if d.whole != nil {
		d.to.Abort()
		done.Sent, done.Layers = d.whole.Sent, d.whole.Layers
		return d.whole.Content, done, nil
	}
	content, err := d.to.Finish(ctx, image)
	done.Sent, done.Layers = d.to.Sent(), d.to.Layers()
	return content, done, err
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
