package containerd

import (
	"context"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// abortLimit bounds taking back what was written in vain.
const abortLimit = 10 * time.Second

// Labels by which containerd's garbage collection knows what belongs together
// (github.com/containerd/containerd/v2/docs/garbage-collection.md).
const (
	gcContentLabel  = "containerd.io/gc.ref.content."
	gcSnapshotLabel = "containerd.io/gc.ref.snapshot."
)

// Describe writes the image's config and manifest, and returns what its names stand for. size
// gives the bytes of each layer.
func (l *Lease) Describe(ctx context.Context, snapshotter string, image ociimage.Image,
	size func(digest.Digest) int64,
) (*Descriptor, error) {
	config := map[string]string{}
	if chains := image.ChainIDs(); len(chains) > 0 {
		config[gcSnapshotLabel+snapshotter] = chains[len(chains)-1].String()
	}
	if err := l.writeSmall(ctx, image.Config, config); err != nil {
		return nil, err
	}
	manifest, err := image.Manifest(size)
	if err != nil {
		return nil, err
	}
	parts := map[string]string{gcContentLabel + "config": image.ID.String()}
	for i, diffID := range image.DiffIDs {
		parts[fmt.Sprintf("%sl.%d", gcContentLabel, i)] = diffID.String()
	}
	if err := l.writeSmall(ctx, manifest, parts); err != nil {
		return nil, err
	}
	return &Descriptor{
		MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(manifest).String(),
		Size: int64(len(manifest)),
	}, nil
}

// writeSmall writes a blob in one piece.
func (l *Lease) writeSmall(ctx context.Context, text []byte, labels map[string]string) error {
	blob := digest.FromBytes(text)
	w, err := l.Write(ctx, l.id+"-"+blob.String(), func(int64) {})
	if err != nil {
		return err
	}
	if err = w.Send(text); err == nil {
		err = l.Commit(ctx, w, blob, labels)
	}
	if err != nil {
		undoing, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortLimit)
		defer cancel()
		w.Abort(undoing)
	}
	return err
}
