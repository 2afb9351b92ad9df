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

// Name is one that an image gets.
type Name struct {
	// Text like localhost/x:dev.
	Text string
	// Owner is the value of the label e2eimage.dev/owner, "" for a name that
	// belongs to nobody and may move.
	Owner string
}

// name gives the image a name, which may have stood for another one, and waits
// until the CRI has it so.
func (s *session) name(ctx context.Context, wanted Name, imageID string, target *types.Descriptor) error {
	name, labels := wanted.Text, map[string]string(nil)
	if wanted.Owner != "" {
		labels = map[string]string{OwnerLabel: wanted.Owner}
	}
	_, err := s.images.Create(ctx, &images.CreateImageRequest{Image: &images.Image{Name: name, Target: target, Labels: labels}})
	if isCode(err, codes.AlreadyExists) {
		err = s.rename(ctx, wanted, target)
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

// rename moves a name that no record owns. One that is to have an owner only gets
// it.
func (s *session) rename(ctx context.Context, wanted Name, target *types.Descriptor) error {
	name := wanted.Text
	held, err := s.images.Get(ctx, &images.GetImageRequest{Name: name})
	if err != nil {
		return err
	}
	owner := held.GetImage().GetLabels()[OwnerLabel]
	same := held.GetImage().GetTarget().GetDigest() == target.GetDigest()
	switch {
	case owner != "" && owner != wanted.Owner:
		return fmt.Errorf("%s is a recorded image, of %s (namespace.consumer.name), and must not move", name, owner)
	case same && wanted.Owner != "" && owner == "":
		return s.adopt(ctx, held.GetImage(), wanted.Owner)
	case same:
		return nil
	case wanted.Owner != "":
		return fmt.Errorf("%s is another image there already; choose another --tag or --repository", name)
	}
	// Without its labels, so that the CRI gives the new image its own name, too.
	_, err = s.images.Update(ctx, &images.UpdateImageRequest{Image: &images.Image{Name: name, Target: target}})
	return err
}

// GiveNames gives an image that the nodes have names, also such as stand for others.
func (c *Cluster) GiveNames(ctx context.Context, nodes []string, imageID string, names []Name) error {
	_, err := change(ctx, c, nodes, names, func(s *session, ctx context.Context, name Name) (struct{}, error) {
		target, err := s.content(ctx, imageID)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.name(ctx, name, imageID, target)
	})
	return err
}
