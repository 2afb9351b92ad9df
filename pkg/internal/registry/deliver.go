package registry

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// Watcher is told how many more bytes have gone to the registry; fewer than none where some have
// to go again.
type Watcher func(bytes int64)

// Delivery is one image of one platform on its way into a repository. Its layers come without
// compression, and go as gzip: what every node can pull. While one goes, the next is read.
type Delivery struct {
	store *Store
	repo  name.Repository
	watch Watcher
	// sending ends with ctx, and with the first layer that fails.
	sending *errgroup.Group
	ctx     context.Context
	cancel  context.CancelFunc

	mu sync.Mutex
	// has are the layers that the registry had; sent those that it got.
	has, sent Layers
	packed    []*packed
	bytes     int64
}

var _ ociimage.Receiver = (*Delivery)(nil)

// Deliver begins to bring an image into a repository, like HOST/team/app. has are the layers that
// the registry has; those of other repositories are mounted. The caller ends it with Finish or
// Abort.
func (s *Store) Deliver(ctx context.Context, repository string, has Layers, watch Watcher) (*Delivery, error) {
	repo, err := s.repository(repository)
	if err != nil {
		return nil, err
	}
	if watch == nil {
		watch = func(int64) {}
	}
	d := &Delivery{store: s, repo: repo, has: maps.Clone(has), sent: Layers{}}
	d.watch = func(bytes int64) {
		d.mu.Lock()
		d.bytes += bytes
		d.mu.Unlock()
		watch(bytes)
	}
	sending, cancel := context.WithCancel(ctx)
	d.cancel = cancel
	d.sending, d.ctx = errgroup.WithContext(sending)
	d.sending.SetLimit(s.jobs)
	return d, nil
}

// Wants implements ociimage.Receiver.
func (d *Delivery) Wants(ctx context.Context, diffID digest.Digest) (bool, error) {
	if err := d.failure(ctx); err != nil {
		return false, err
	}
	_, known := d.layer(diffID)
	return !known, nil
}

// failure is why it makes no sense to go on.
func (d *Delivery) failure(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return context.Cause(d.ctx)
}

func (d *Delivery) layer(diffID digest.Digest) (Layer, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if layer, ok := d.sent[diffID]; ok {
		return layer, true
	}
	layer, ok := d.has[diffID]
	return layer, ok
}

// Layer implements ociimage.Receiver: it compresses the layer into a file, which then goes to the
// registry, as often as it takes.
func (d *Delivery) Layer(ctx context.Context, diffID digest.Digest, content io.Reader) (digest.Digest, error) {
	if err := d.failure(ctx); err != nil {
		return "", err
	}
	packed, err := pack(&needed{content, func() error { return d.failure(ctx) }})
	if packed != nil {
		d.mu.Lock()
		d.packed = append(d.packed, packed)
		d.mu.Unlock()
	}
	if err != nil {
		return "", err
	}
	if diffID != "" && packed.diffID != diffID {
		return "", &ociimage.ContentError{What: "layer " + diffID.String(), Want: diffID, Got: packed.diffID}
	}
	d.mu.Lock()
	d.sent[packed.diffID] = Layer{Blob: packed.blob, in: d.repo}
	d.mu.Unlock()
	d.sending.Go(func() error {
		defer packed.discard()
		return d.upload(d.ctx, &counted{Layer: packed, watch: d.watch})
	})
	return packed.diffID, nil
}

func (d *Delivery) upload(ctx context.Context, layer v1.Layer) error {
	err := d.store.pusher.Upload(ctx, d.repo, layer)
	return d.store.failed(ctx, err, "push to "+d.repo.Name(), d.repo)
}

// Finish waits for the layers, mounts those of other repositories, and pushes the image's
// manifest, by its digest: it has no name yet.
func (d *Delivery) Finish(ctx context.Context, image ociimage.Image) (Content, error) {
	defer d.Abort()
	if err := d.sending.Wait(); err != nil {
		return Content{}, err
	}
	manifest := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: ocispec.Descriptor{
			MediaType: ocispec.MediaTypeImageConfig, Digest: image.ID, Size: int64(len(image.Config)),
		},
		Layers: []ocispec.Descriptor{},
	}
	mounting, mount := errgroup.WithContext(ctx)
	mounting.SetLimit(d.store.jobs)
	done := map[digest.Digest]bool{}
	for _, diffID := range image.DiffIDs {
		layer, ok := d.layer(diffID)
		if !ok {
			return Content{}, errors.Join(errors.New("a layer did not come"),
				&LostError{Name: d.repo.Name(), Digest: diffID}, mounting.Wait())
		}
		manifest.Layers = append(manifest.Layers, plainly(layer.Blob))
		if layer.in != d.repo && !done[diffID] {
			done[diffID] = true
			mounting.Go(func() error { return d.mount(mount, layer) })
		}
	}
	mounting.Go(func() error {
		return d.upload(mount, static.NewLayer(image.Config, types.OCIConfigJSON))
	})
	if err := mounting.Wait(); err != nil {
		return Content{}, err
	}
	raw, err := json.Marshal(manifest)
	if err != nil {
		return Content{}, err
	}
	content, err := parse(raw, types.OCIManifestSchema1)
	if err != nil {
		return Content{}, err
	}
	content.Repository, content.in = d.repo.Name(), d.repo
	content.Images[0].Platform = image.Platform
	return content, d.store.commit(ctx, d.repo.Digest(content.Digest.String()), content)
}

// mount lets the repository have a layer of another one. Where the registry does not do that,
// the library copies it by way of this machine.
func (d *Delivery) mount(ctx context.Context, layer Layer) error {
	from := layer.in.Digest(layer.Blob.Digest.String())
	there, err := d.store.puller.Layer(readingLayers(ctx), from)
	if err != nil {
		return d.store.failed(ctx, err, "read "+from.Name(), layer.in)
	}
	return d.upload(ctx, &remote.MountableLayer{Layer: sized{there, layer.Blob.Size}, Reference: from})
}

// Sent are the bytes that went to the registry.
func (d *Delivery) Sent() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bytes
}

// Layers are how many layers went to the registry.
func (d *Delivery) Layers() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.sent)
}

// Abort ends what was not finished. What the registry has got of it has no name, and goes with
// its garbage.
func (d *Delivery) Abort() {
	d.cancel()
	_ = d.sending.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, packed := range d.packed {
		packed.discard()
	}
	d.packed = nil
}

// plainly describes a layer as OCI does: a manifest of Docker's may have had it.
func plainly(blob ocispec.Descriptor) ocispec.Descriptor {
	described := ocispec.Descriptor{MediaType: blob.MediaType, Digest: blob.Digest, Size: blob.Size}
	switch types.MediaType(blob.MediaType) {
	case types.DockerLayer:
		described.MediaType = ocispec.MediaTypeImageLayerGzip
	case types.DockerUncompressedLayer:
		described.MediaType = ocispec.MediaTypeImageLayer
	}
	return described
}

// commit PUTs a manifest or index as it is.
func (s *Store) commit(ctx context.Context, ref name.Reference, content Content) error {
	err := s.pusher.Put(ctx, ref, content.put())
	var answer *transport.Error
	if errors.As(err, &answer) && context.Cause(ctx) == nil {
		for _, one := range answer.Errors {
			if one.Code == transport.ManifestBlobUnknownErrorCode || one.Code == transport.BlobUnknownErrorCode {
				return &LostError{Name: ref.Name(), Digest: content.Digest}
			}
		}
	}
	return s.failed(ctx, err, "push to "+ref.Name(), ref.Context())
}
