package containerd

import (
	"context"
	"time"

	"github.com/containerd/containerd/api/services/content/v1"
	"github.com/containerd/containerd/api/services/leases/v1"
	"github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/opencontainers/go-digest"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// leaseLimit is when containerd's garbage collection takes what a killed run
// brought in.
const leaseLimit = time.Hour

// Lease keeps what calls with its context bring in, until it ends or expires.
type Lease struct {
	client *Client
	id     string
}

// NewLease begins a lease with an ID of its own, and returns the context that its calls are
// made with.
func (c *Client) NewLease(ctx context.Context, id string) (context.Context, *Lease, error) {
	_, err := c.leases.Create(ctx, &leases.CreateRequest{ID: id, Labels: map[string]string{
		"containerd.io/gc.expire": time.Now().Add(leaseLimit).Format(time.RFC3339),
	}})
	return metadata.AppendToOutgoingContext(ctx, "containerd-lease", id), &Lease{c, id}, err
}

// KeepBlob holds a blob against garbage collection and tells whether it is there, and its
// size in bytes.
func (l *Lease) KeepBlob(ctx context.Context, blob digest.Digest) (size int64, there bool, err error) {
	if err := l.keep(ctx, "content", blob.String()); err != nil {
		return 0, false, err
	}
	info, err := l.client.content.Info(ctx, &content.InfoRequest{Digest: blob.String()})
	if IsNotFound(err) {
		return 0, false, nil
	}
	return info.GetInfo().GetSize(), err == nil, err
}

// KeepSnapshot does so for the snapshot of an unpacked layer.
func (l *Lease) KeepSnapshot(ctx context.Context, snapshotter string, chain digest.Digest) (there bool, err error) {
	if err := l.keep(ctx, "snapshots/"+snapshotter, chain.String()); err != nil {
		return false, err
	}
	_, err = l.client.snapshots.Stat(ctx, &snapshots.StatSnapshotRequest{Snapshotter: snapshotter, Key: chain.String()})
	if IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// keep holds something that is there already against garbage collection.
func (l *Lease) keep(ctx context.Context, kind, id string) error {
	_, err := l.client.leases.AddResource(ctx, &leases.AddResourceRequest{
		ID: l.id, Resource: &leases.Resource{ID: id, Type: kind},
	})
	return err
}

// Commit ends a blob, which the node holds against its digest, and keeps it with the labels,
// also where somebody else was faster.
func (l *Lease) Commit(ctx context.Context, w *Write, blob digest.Digest, labels map[string]string) error {
	// What is there already belongs to no lease of ours, so that garbage collection
	// might take it after the commit found it; a lease can hold what is yet to come.
	if err := l.keep(ctx, "content", blob.String()); err != nil {
		return err
	}
	existed, err := w.commit(blob, labels)
	if err != nil || !existed || len(labels) == 0 {
		return err
	}
	// A mask names what is changed; the other labels are theirs.
	request := &content.UpdateRequest{
		Info: &content.Info{Digest: blob.String(), Labels: labels}, UpdateMask: &fieldmaskpb.FieldMask{},
	}
	for key := range labels {
		request.UpdateMask.Paths = append(request.UpdateMask.Paths, "labels."+key)
	}
	_, err = l.client.content.Update(ctx, request)
	return err
}

// End gives up what the lease kept and nothing else names.
func (l *Lease) End(ctx context.Context) {
	// If this is not possible, it expires.
	_, _ = l.client.leases.Delete(ctx, &leases.DeleteRequest{ID: l.id})
}
