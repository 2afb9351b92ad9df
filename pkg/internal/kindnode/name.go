package kindnode

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/api/services/images/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc/codes"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// Labels by which containerd's garbage collection knows what belongs together
// (github.com/containerd/containerd/v2/docs/garbage-collection.md).
const (
	gcContentLabel  = "containerd.io/gc.ref.content."
	gcSnapshotLabel = "containerd.io/gc.ref.snapshot."
)

// describe writes the image's config and manifest and returns what names it.
func (l lease) describe(ctx context.Context, snapshotter string, image ociimage.Image, size func(digest.Digest) int64) (*types.Descriptor, error) {
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
	return &types.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(manifest).String(), Size: int64(len(manifest))}, nil
}

// writeSmall writes a blob in one piece.
func (l lease) writeSmall(ctx context.Context, text []byte, labels map[string]string) error {
	blob := digest.FromBytes(text)
	w, err := l.write(ctx, l.id+"-"+blob.String(), func(int64) {})
	if err != nil {
		return err
	}
	if err = w.chunk(text); err == nil {
		err = l.commit(ctx, w, blob, labels)
	}
	if err != nil {
		undoing, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleGrace)
		defer cancel()
		w.abort(undoing)
	}
	return err
}

// name gives the image a name, which may have stood for another one, and waits
// until the CRI has it so.
func (s *session) name(ctx context.Context, name, imageID string, target *types.Descriptor) error {
	_, err := s.images.Create(ctx, &images.CreateImageRequest{Image: &images.Image{Name: name, Target: target}})
	if isCode(err, codes.AlreadyExists) {
		err = s.rename(ctx, name, target)
	}
	if err != nil {
		return err
	}
	got := ""
	err = s.settled(ctx, func(ctx context.Context) (bool, error) {
		image, err := s.image(ctx, name)
		got = image.GetId()
		return got == imageID, err
	})
	if err == nil && got != imageID {
		err = fmt.Errorf("its CRI has %q under %s instead of %s; did another load take the name meanwhile? run again", got, name, imageID)
	}
	return err
}

// rename moves a name that no record owns.
func (s *session) rename(ctx context.Context, name string, target *types.Descriptor) error {
	held, err := s.images.Get(ctx, &images.GetImageRequest{Name: name})
	if err != nil {
		return err
	}
	if owner := held.GetImage().GetLabels()[OwnerLabel]; owner != "" {
		return fmt.Errorf("%s is a recorded image, of %s (namespace.consumer.name), and must not move", name, owner)
	}
	if held.GetImage().GetTarget().GetDigest() == target.GetDigest() {
		return nil
	}
	// Without its labels, so that the CRI gives the new image its own name, too.
	_, err = s.images.Update(ctx, &images.UpdateImageRequest{Image: &images.Image{Name: name, Target: target}})
	return err
}

// GiveNames gives an image that the nodes have names, also such as stand for others.
func (c *Cluster) GiveNames(ctx context.Context, nodes []string, imageID string, names []string) error {
	_, err := change(ctx, c, nodes, names, func(s *session, ctx context.Context, name string) (struct{}, error) {
		target, err := s.content(ctx, imageID)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.name(ctx, name, imageID, target)
	})
	return err
}
