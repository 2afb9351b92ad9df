package kindnode

import (
	"context"
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/containerd"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// waitingChunks is how far one node may be behind the others, in chunks.
const waitingChunks = 16

// event is what a receiver is told, in order.
type event struct {
	begin, abort bool
	part         *chunk
	// end is the digest of the layer that ends, size its bytes.
	end  digest.Digest
	size int64
}

// write takes the events until there are no more.
func (r *receiver) write() {
	defer close(r.written)
	var current *containerd.Write
	count := 0
	for e := range r.events {
		var err error
		switch {
		case r.failure() != nil:
		case e.begin:
			count++
			current, err = r.lease.Write(r.ctx, fmt.Sprintf("%s-%d", r.id, count), func(bytes int64) {
				r.watch(r.node, bytes)
			})
		case e.abort:
			r.undo(current.Abort)
			current = nil
		case e.part != nil:
			err = current.Send(e.part.data[:e.part.size])
		default:
			if err = r.lease.Commit(r.ctx, current, e.end, nil); err == nil {
				r.done.Sent += e.size
				r.done.Layers++
				r.arrive(e.end, e.size)
			}
			current = nil
		}
		if e.part != nil {
			e.part.users.Done()
		}
		if err != nil {
			r.fail(err)
		}
	}
	if current != nil {
		r.undo(current.Abort)
	}
}

// undo is bounded, all of a node's together: what does not answer is left to the
// lease's end.
func (r *receiver) undo(do func(context.Context)) {
	r.undoing.Do(func() {
		r.undoContext, r.undone = context.WithTimeout(context.WithoutCancel(r.ctx), finishGrace)
	})
	do(r.undoContext)
}

// unpack makes snapshots as blobs arrive, the lowest first, if the image is known
// by then.
func (r *receiver) unpack() {
	defer close(r.unpacked)
	if err := r.unpackAll(r.known); err != nil {
		r.fail(err)
	}
}

func (r *receiver) unpackAll(image ociimage.Image) error {
	for i, chain := range image.ChainIDs() {
		if r.failure() != nil {
			// There may be no connection at all.
			return nil
		}
		if r.keepChain(chain) {
			continue
		}
		size, came := r.await(image.DiffIDs[i])
		if !came {
			// Its failure is known, or it is not in what was read.
			return nil
		}
		if err := r.lease.Unpack(r.ctx, r.state.Snapshotter, image, i, size); err != nil {
			return err
		}
	}
	return nil
}
