package kindnode

import (
	"slices"

	"github.com/opencontainers/go-digest"
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
	size, there, err := r.lease.KeepBlob(r.ctx, diffID)
	switch {
	case err != nil:
		r.fail(err)
		return true
	case there:
		r.arrive(diffID, size)
	}
	return there
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
	there, err := r.lease.KeepSnapshot(r.ctx, r.state.Snapshotter, chain)
	if err != nil {
		r.fail(err)
		return true
	}
	if there {
		r.mu.Lock()
		r.kept[chain] = true
		r.mu.Unlock()
	}
	return there
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
