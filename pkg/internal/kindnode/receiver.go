package kindnode

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/containerd"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// receiver is one node of a delivery. Two of its goroutines work side by side: one
// writes layers, one unpacks those that are whole.
type receiver struct {
	node  string
	state State
	known ociimage.Image
	watch Watcher
	done  Delivered
	// target is what names the image, once it is whole.
	target *containerd.Descriptor
	// sizes of layers that any node has.
	sizes func(digest.Digest) (int64, bool)

	// ctx is every call's; it carries the lease, which is nil where there is no connection.
	ctx   context.Context
	stop  context.CancelFunc
	id    string
	lease *containerd.Lease

	undoing     sync.Once
	undoContext context.Context
	undone      context.CancelFunc

	events chan event
	// written and unpacked are closed when the goroutines have ended.
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

func newReceiver(node string, state State, known ociimage.Image, sizes func(digest.Digest) (int64, bool),
	watch Watcher,
) *receiver {
	r := &receiver{
		node: node, state: state, known: known, sizes: sizes, watch: watch,
		events: make(chan event, waitingChunks), written: make(chan struct{}), unpacked: make(chan struct{}),
		blobs: map[digest.Digest]int64{}, kept: map[digest.Digest]bool{}, broken: make(chan struct{}),
	}
	r.arrived = sync.NewCond(&r.mu)
	return r
}

// begin connects and begins a lease, and starts working.
func (r *receiver) begin(ctx context.Context, c *Cluster, id string) {
	r.ctx, r.stop = context.WithCancel(ctx)
	r.id = id
	client, err := c.client(ctx, r.node)
	if err == nil {
		r.ctx, r.lease, err = client.NewLease(r.ctx, id)
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

// finish makes the image whole.
func (r *receiver) finish(ctx context.Context, image ociimage.Image) error {
	r.close()
	err := r.failure()
	if err == nil {
		err = r.complete(image)
	}
	if err != nil && ctx.Err() != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	return err
}

func (r *receiver) complete(image ociimage.Image) error {
	r.known = image
	for _, diffID := range image.DiffIDs {
		if r.lacks(diffID) {
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
	target, err := r.lease.Describe(r.ctx, r.state.Snapshotter, image, r.size)
	if err != nil {
		return err
	}
	r.target = target
	for _, diffID := range image.DiffIDs {
		r.done.Bytes += r.size(diffID)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done.Blobs = maps.Clone(r.blobs)
	return nil
}

// abort ends the node's part in a delivery that failed.
func (r *receiver) abort() {
	r.fail(context.Canceled)
	r.stop()
	r.close()
	r.end()
}

// end gives up the lease.
func (r *receiver) end() {
	if r.lease != nil {
		r.undo(r.lease.End)
		r.undone()
	}
	r.stop()
}
