package containerd

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/containerd/containerd/api/services/diff/v1"
	"github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// Labels that containerd's own unpacker gives snapshots
// (github.com/containerd/containerd/v2/core/unpack).
const (
	snapshotRefLabel    = "containerd.io/snapshot.ref"
	snapshotParentLabel = "containerd.io/snapshot/parent-chain-id"
	snapshotDiffIDLabel = "containerd.io/snapshot/diff-id"
)

// Unpack makes the snapshot of the image's layer i, of so many bytes, on top of its parent's, as containerd's
// unpacker does: it applies the layer to a snapshot that then gets its chain ID as
// its name. One that is there already is left alone.
func (l *Lease) Unpack(ctx context.Context, snapshotter string, image ociimage.Image, i int, size int64) error {
	chains := image.ChainIDs()
	chain, diffID := chains[i].String(), image.DiffIDs[i]
	labels := map[string]string{snapshotRefLabel: chain, snapshotDiffIDLabel: diffID.String()}
	parent := ""
	if i > 0 {
		parent = chains[i-1].String()
		labels[snapshotParentLabel] = parent
	}
	key := fmt.Sprintf("extract-%s %s", rand.Text(), chain)
	prepared, err := l.client.snapshots.Prepare(ctx,
		&snapshots.PrepareSnapshotRequest{Snapshotter: snapshotter, Key: key, Parent: parent, Labels: labels})
	if IsExists(err) {
		// A remote snapshotter that has it by the label.
		return nil
	}
	if err != nil {
		return err
	}
	applied, err := l.client.diff.Apply(long(ctx),
		&diff.ApplyRequest{Diff: descriptor(ociimage.Layer(diffID, size)), Mounts: prepared.GetMounts()})
	if err == nil {
		if got := applied.GetApplied().GetDigest(); got != diffID.String() {
			err = &ociimage.ContentError{What: "layer " + diffID.String(), Want: diffID, Got: digest.Digest(got)}
		}
	}
	if err == nil {
		_, err = l.client.snapshots.Commit(ctx, &snapshots.CommitSnapshotRequest{
			Snapshotter: snapshotter, Name: chain,
			Key: key, Labels: labels,
		})
	}
	// A snapshot that was prepared in vain goes with the lease.
	if IsExists(err) {
		// Another load was faster.
		return nil
	}
	return err
}

func descriptor(d ocispec.Descriptor) *types.Descriptor {
	return &types.Descriptor{MediaType: d.MediaType, Digest: d.Digest.String(), Size: d.Size}
}
