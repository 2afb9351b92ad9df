package kindnode

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/containerd"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/images"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// Delivery is one image on its way into several nodes at once: each layer is
// read once and goes to all nodes that lack it. A node that fails is left out from
// then on; the others go on.
type Delivery struct {
	cluster   *Cluster
	receivers map[string]*receiver
	buffers   sync.Pool
}

var _ images.Delivery = (*Delivery)(nil)

// chunkSize of what is sent at once, in bytes. containerd takes messages of up
// to 16 MiB.
const chunkSize = 1 << 20

// Deliver begins a delivery to the named nodes; the states are all nodes', as ProbeContent
// answered. The caller ends it with Finish or Abort.
func (c *Cluster) Deliver(ctx context.Context, what images.Delivering) images.Delivery {
	d := &Delivery{cluster: c, receivers: map[string]*receiver{}, buffers: sync.Pool{New: func() any {
		return new(chunk)
	}}}
	id := "e2eimage-" + rand.Text()
	sizes := what.States.LayerSize
	var all sync.WaitGroup
	for _, node := range what.Parts {
		r := newReceiver(node, what.States[node], what.Known, sizes, what.Watch)
		d.receivers[node] = r
		all.Go(func() { r.begin(ctx, c, id) })
	}
	all.Wait()
	return d
}

// Wants implements ociimage.Receiver. What a node has is kept from here on.
func (d *Delivery) Wants(ctx context.Context, diffID digest.Digest) (bool, error) {
	wanting, err := d.wanting(ctx, diffID)
	return len(wanting) > 0, err
}

func (d *Delivery) wanting(ctx context.Context, diffID digest.Digest) ([]*receiver, error) {
	var wanting []*receiver
	for _, node := range sortedKeys(d.receivers) {
		r := d.receivers[node]
		if r.failure() == nil && r.lacks(diffID) {
			wanting = append(wanting, r)
		}
	}
	if err := d.allFailed(); err != nil {
		return nil, err
	}
	return wanting, context.Cause(ctx)
}

// allFailed returns the nodes' errors once no node is left.
func (d *Delivery) allFailed() error {
	failed := d.failed()
	if len(failed) < len(d.receivers) {
		return nil
	}
	return failed
}

func (d *Delivery) failed() NodeErrors {
	failed := NodeErrors{}
	for node, r := range d.receivers {
		if err := r.failure(); err != nil {
			failed[node] = err
		}
	}
	return failed
}

// chunk is a part of a layer that several nodes send.
type chunk struct {
	data [chunkSize]byte
	size int
	// users counts those that still need it.
	users sync.WaitGroup
}

// Layer implements ociimage.Receiver: the slowest node sets the pace, and is
// left out when it stands still.
func (d *Delivery) Layer(ctx context.Context, diffID digest.Digest, content io.Reader) (digest.Digest, error) {
	wanting, err := d.wanting(ctx, diffID)
	if err != nil {
		return "", err
	}
	for _, r := range wanting {
		r.offer(ctx, event{begin: true})
	}
	got, size, err := d.spread(ctx, wanting, content)
	if err == nil && diffID != "" && got != diffID {
		err = &ociimage.ContentError{What: "layer " + diffID.String(), Want: diffID, Got: got}
	}
	for _, r := range wanting {
		if err != nil {
			r.offer(ctx, event{abort: true})
		} else {
			r.offer(ctx, event{end: got, size: size})
		}
	}
	return got, err
}

func (d *Delivery) spread(ctx context.Context, to []*receiver, content io.Reader) (digest.Digest, int64, error) {
	digester, size := digest.Canonical.Digester(), int64(0)
	for {
		part := d.buffers.Get().(*chunk)
		var err error
		part.size, err = fill(part.data[:], content)
		if part.size > 0 {
			size += int64(part.size)
			part.users.Add(len(to))
			for _, r := range to {
				if !r.offer(ctx, event{part: part}) {
					part.users.Done()
				}
			}
			_, _ = digester.Hash().Write(part.data[:part.size])
			go func() { part.users.Wait(); d.buffers.Put(part) }()
		}
		switch {
		case errors.Is(err, io.EOF):
			return digester.Digest(), size, nil
		case err != nil:
			return "", 0, err
		case ctx.Err() != nil:
			return "", 0, context.Cause(ctx)
		}
		if err := d.allFailed(); err != nil {
			return "", 0, err
		}
	}
}

// fill reads until the buffer is full or an error, which is the reader's own:
// unlike io.ReadFull, it does not take content that is cut off for a short end.
func fill(buffer []byte, from io.Reader) (n int, err error) {
	for n < len(buffer) && err == nil {
		var more int
		more, err = from.Read(buffer[n:])
		n += more
	}
	return n, err
}

// Finish makes the image whole on every node, names it there and on the others, which
// had it, as GiveNames does, and waits until the CRI has it. It returns what became of
// each node, with a NodeErrors for those that failed.
func (d *Delivery) Finish(ctx context.Context, image ociimage.Image, names []Name,
	others []string,
) (map[string]Delivered, error) {
	done, err := forEach(slices.Collect(maps.Keys(d.receivers)), func(node string) (Delivered, error) {
		r := d.receivers[node]
		err := r.finish(ctx, image)
		return r.done, err
	})
	// What has no name yet is held by the leases.
	defer d.end()
	failed, described := NodeErrors{}, map[string]*containerd.Descriptor{}
	_ = errors.As(err, &failed)
	nodes := slices.Clone(others)
	for node, r := range d.receivers {
		if failed[node] == nil {
			described[node] = r.target
			nodes = append(nodes, node)
		}
	}
	if len(nodes) == 0 {
		return done, err
	}
	unnamed := d.cluster.giveNames(ctx, nodes, image.ID.String(), names, described)
	var of NodeErrors
	switch {
	case errors.As(unnamed, &of):
		maps.Copy(failed, of)
	case unnamed != nil:
		return done, errors.Join(err, unnamed)
	}
	if len(failed) > 0 {
		return done, failed
	}
	return done, nil
}

// end gives up what holds the image until it has a name.
func (d *Delivery) end() {
	var all sync.WaitGroup
	for _, r := range d.receivers {
		all.Go(r.end)
	}
	all.Wait()
}

// Abort takes back what was not finished.
func (d *Delivery) Abort() {
	var all sync.WaitGroup
	for _, r := range d.receivers {
		all.Go(r.abort)
	}
	all.Wait()
}
