package kindnode

import (
	"slices"

	"github.com/containerd/containerd/api/services/content/v1"
	"github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/opencontainers/go-digest"
	"google.golang.org/grpc/codes"
)

// lacks tells whether the node needs the layer: it has neither its blob nor, at
// every place of the image, its snapshot. "" asks for any layer.
func (r *receiver) lacks(diffID digest.Digest) bool {
	if diffID == "" {
		return len(r.known.DiffIDs) == 0 || slices.ContainsFunc(r.known.DiffIDs, r.lacks)
	}
	r.mu.Lock()
	_, has := r.blobs[diffID]
	r.mu.Unlock()
	return !has && !r.keepBlob(diffID) && !r.keepChains(diffID)
}

// keepBlob holds a blob that the probe saw against garbage collection, and makes
// sure that it is still there.
func (r *receiver) keepBlob(diffID digest.Digest) bool {
	if _, seen := r.state.Blobs[diffID]; !seen {
		return false
	}
	if err := r.lease.keep(r.ctx, "content", diffID.String()); err != nil {
		r.fail(err)
		return true
	}
	info, err := r.lease.loading.content.Info(r.ctx, &content.InfoRequest{Digest: diffID.String()})
	if isCode(err, codes.NotFound) {
		return false
	}
	if err != nil {
		r.fail(err)
		return true
	}
	r.arrive(diffID, info.GetInfo().GetSize())
	return true
}

// keepChains does so for the snapshots of a layer whose blob is not needed then.
func (r *receiver) keepChains(diffID digest.Digest) bool {
	if _, sized := r.sizes(diffID); !sized {
		// The manifest says how long each layer is.
		return false
	}
	found := false
	for i, chain := range r.known.ChainIDs() {
		if r.known.DiffIDs[i] != diffID {
			continue
		}
		found = true
		if !r.keepChain(chain) {
			return false
		}
	}
	return found
}

func (r *receiver) keepChain(chain digest.Digest) bool {
	r.mu.Lock()
	kept := r.kept[chain]
	r.mu.Unlock()
	if kept || !r.state.Chains[chain] {
		return kept
	}
	if err := r.lease.keep(r.ctx, "snapshots/"+r.state.Snapshotter, chain.String()); err != nil {
		r.fail(err)
		return true
	}
	_, err := r.lease.loading.snapshots.Stat(r.ctx,
		&snapshots.StatSnapshotRequest{Snapshotter: r.state.Snapshotter, Key: chain.String()})
	if isCode(err, codes.NotFound) {
		return false
	}
	if err != nil {
		r.fail(err)
		return true
	}
	r.mu.Lock()
	r.kept[chain] = true
	r.mu.Unlock()
	return true
}

func (r *receiver) arrive(blob digest.Digest, size int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blobs[blob] = size
	r.arrived.Broadcast()
}

// await waits for a blob, which may not come any more, and returns its size.
func (r *receiver) await(blob digest.Digest) (size int64, came bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if size, has := r.blobs[blob]; has {
			return size, true
		}
		if r.failed != nil || r.whole {
			return 0, false
		}
		r.arrived.Wait()
	}
}

// size of a layer, as this node or, where it has only the snapshot, another knows.
func (r *receiver) size(diffID digest.Digest) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if size, has := r.blobs[diffID]; has {
		return size
	}
	size, _ := r.sizes(diffID)
	return size
}
