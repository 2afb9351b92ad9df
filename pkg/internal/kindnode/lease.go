package kindnode

import (
	"context"
	"time"

	"github.com/containerd/containerd/api/services/content/v1"
	"github.com/containerd/containerd/api/services/leases/v1"
	"github.com/opencontainers/go-digest"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// leaseLimit is when containerd's garbage collection takes what a killed run
// brought in.
const leaseLimit = time.Hour

// lease keeps what calls with its context bring in, until it ends or expires.
type lease struct {
	*session
	id string
}

// newLease begins a lease and returns the context that its calls are made with.
func (s *session) newLease(ctx context.Context, id string) (context.Context, lease, error) {
	_, err := s.loading.leases.Create(ctx, &leases.CreateRequest{ID: id, Labels: map[string]string{
		"containerd.io/gc.expire": time.Now().Add(leaseLimit).Format(time.RFC3339),
	}})
	return metadata.AppendToOutgoingContext(ctx, "containerd-lease", id), lease{s, id}, err
}

// keep holds something that is there already against garbage collection.
func (l lease) keep(ctx context.Context, kind, id string) error {
	_, err := l.loading.leases.AddResource(ctx, &leases.AddResourceRequest{
		ID: l.id, Resource: &leases.Resource{ID: id, Type: kind},
	})
	return err
}

// commit ends a blob and keeps it, also where somebody else was faster.
func (l lease) commit(ctx context.Context, w *write, blob digest.Digest, labels map[string]string) error {
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
	_, err = l.loading.content.Update(ctx, request)
	return err
}

// end gives up what the lease kept and nothing else names.
func (l lease) end(ctx context.Context) {
	// If this is not possible, it expires.
	_, _ = l.loading.leases.Delete(ctx, &leases.DeleteRequest{ID: l.id})
}
