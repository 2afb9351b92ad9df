package kindnode

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/containerd/containerd/api/services/content/v1"
	"github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/opencontainers/go-digest"
	"google.golang.org/grpc/codes"

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

// receiver is one node of a delivery. Two of its goroutines work side by side: one
// writes layers, one unpacks those that are whole.
type receiver struct {
	node  string
	state State
	known ociimage.Image
	watch Watcher
	done  Delivered
	// sizes of layers that any node has.
	sizes func(digest.Digest) (int64, bool)

	// ctx is every call's; it carries the lease.
	ctx   context.Context
	stop  context.CancelFunc
	lease lease

	events chan event
	// finished is closed when both goroutines have ended.
	written, unpacked chan struct{}

	mu sync.Mutex
	// blobs are those that the node has and keeps, with their sizes.
	blobs map[digest.Digest]int64
	kept  map[digest.Digest]bool
	// arrived is told of every blob.
	arrived *sync.Cond
	whole   bool
	failed  error
	broken  chan struct{}
}

func newReceiver(node string, state State, known ociimage.Image, sizes func(digest.Digest) (int64, bool), watch Watcher) *receiver {
	r := &receiver{
		node: node, state: state, known: known, sizes: sizes, watch: watch,
		events: make(chan event, waitingChunks), written: make(chan struct{}), unpacked: make(chan struct{}),
		blobs: map[digest.Digest]int64{}, kept: map[digest.Digest]bool{}, broken: make(chan struct{}),
	}
	r.arrived = sync.NewCond(&r.mu)
	return r
}

// begin opens the session and a lease, and starts working.
func (r *receiver) begin(ctx context.Context, c *Cluster, id string) {
	r.ctx, r.stop = context.WithCancel(ctx)
	s, err := c.session(ctx, r.node)
	if err == nil {
		r.ctx, r.lease, err = s.newLease(r.ctx, id)
	}
	if err != nil {
		r.fail(err)
	}
	go r.write()
	go r.unpack()
}

// fail leaves the node out; the first error counts.
func (r *receiver) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed == nil {
		r.failed = err
		close(r.broken)
	}
	r.arrived.Broadcast()
}

func (r *receiver) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// offer hands an event over, unless the node failed.
func (r *receiver) offer(ctx context.Context, e event) bool {
	select {
	case <-r.broken:
		return false
	default:
	}
	select {
	case r.events <- e:
		return true
	case <-r.broken:
	case <-ctx.Done():
		r.fail(context.Cause(ctx))
	}
	return false
}

// lacks tells whether the node needs the layer: it has neither its blob nor, at
// every place of the image, its snapshot. "" asks for any layer.
func (r *receiver) lacks(ctx context.Context, diffID digest.Digest) bool {
	if diffID == "" {
		return len(r.known.DiffIDs) == 0 || slices.ContainsFunc(r.known.DiffIDs, func(d digest.Digest) bool { return r.lacks(ctx, d) })
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
	_, err := r.lease.loading.snapshots.Stat(r.ctx, &snapshots.StatSnapshotRequest{Snapshotter: r.state.Snapshotter, Key: chain.String()})
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

// write takes the events until there are no more.
func (r *receiver) write() {
	defer close(r.written)
	var current *write
	count := 0
	for e := range r.events {
		var err error
		switch {
		case r.failure() != nil:
		case e.begin:
			count++
			current, err = r.lease.write(r.ctx, fmt.Sprintf("%s-%d", r.lease.id, count), func(bytes int64) { r.watch(r.node, bytes) })
		case e.abort:
			r.undo(current.abort)
			current = nil
		case e.part != nil:
			err = current.chunk(e.part.data[:e.part.size])
		default:
			if err = r.lease.commit(r.ctx, current, e.end, nil); err == nil {
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
		r.undo(current.abort)
	}
}

// undo is bounded by itself: what does not answer is left to the lease's end.
func (r *receiver) undo(do func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), settleGrace)
	defer cancel()
	do(ctx)
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
			// There may be no session at all.
			return nil
		}
		if r.keepChain(chain) {
			continue
		}
		size, err := r.await(image.DiffIDs[i])
		if err != nil || size < 0 {
			return err
		}
		if err := r.lease.unpack(r.ctx, r.state.Snapshotter, image, i, size); err != nil {
			return err
		}
	}
	return nil
}

// await waits for a blob; -1 when it does not come any more.
func (r *receiver) await(blob digest.Digest) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if size, has := r.blobs[blob]; has {
			return size, nil
		}
		if r.failed != nil || r.whole {
			return -1, nil
		}
		r.arrived.Wait()
	}
}

// close ends the goroutines after what they were told.
func (r *receiver) close() {
	close(r.events)
	<-r.written
	r.mu.Lock()
	r.whole = true
	r.arrived.Broadcast()
	r.mu.Unlock()
	<-r.unpacked
}

// finish makes the image whole and names it.
func (r *receiver) finish(ctx context.Context, image ociimage.Image, names []string) error {
	r.close()
	err := r.failure()
	if err == nil {
		err = r.complete(image, names)
	}
	if r.lease.session != nil {
		r.undo(r.lease.end)
	}
	r.stop()
	if err != nil && ctx.Err() != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	return err
}

func (r *receiver) complete(image ociimage.Image, names []string) error {
	r.known = image
	for _, diffID := range image.DiffIDs {
		if r.lacks(r.ctx, diffID) {
			return fmt.Errorf("layer %s went away meanwhile; run again", ociimage.ShortID(diffID.String()))
		}
	}
	if err := r.failure(); err != nil {
		return err
	}
	if err := r.unpackAll(image); err != nil {
		return err
	}
	if err := r.failure(); err != nil {
		return err
	}
	target, err := r.lease.describe(r.ctx, r.state.Snapshotter, image, r.size)
	if err != nil {
		return err
	}
	for _, diffID := range image.DiffIDs {
		r.done.Bytes += r.size(diffID)
	}
	for _, name := range names {
		replaced, err := r.lease.name(r.ctx, name, image.ID.String(), target)
		if err != nil {
			return err
		}
		r.done.Replaced = replaced
	}
	return nil
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

// abort ends the node's part in a delivery that failed.
func (r *receiver) abort() {
	r.fail(context.Canceled)
	r.stop()
	r.close()
	if r.lease.session != nil {
		r.undo(r.lease.end)
	}
}
