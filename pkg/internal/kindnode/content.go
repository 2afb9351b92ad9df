package kindnode

import (
	"context"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/containerd/containerd/api/services/content/v1"
	"github.com/containerd/containerd/api/services/diff/v1"
	"github.com/containerd/containerd/api/services/leases/v1"
	"github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/opencontainers/go-digest"
	"google.golang.org/grpc"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// loading are the services of containerd that bring images in.
type loading struct {
	content   content.ContentClient
	snapshots snapshots.SnapshotsClient
	diff      diff.DiffClient
	leases    leases.LeasesClient
}

func newLoading(client *grpc.ClientConn) loading {
	return loading{
		content: content.NewContentClient(client), snapshots: snapshots.NewSnapshotsClient(client),
		diff: diff.NewDiffClient(client), leases: leases.NewLeasesClient(client),
	}
}

// listed collects what a stream of answers has.
func listed[T any](stream grpc.ServerStreamingClient[T], err error, add func(*T)) error {
	for err == nil {
		var answer *T
		if answer, err = stream.Recv(); err == nil {
			add(answer)
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// listContent asks for all blobs.
func listContent(ctx context.Context, s *session, state *State) error {
	bounded, cancel := context.WithTimeoutCause(ctx, callLimit, &SilentError{Method: "Content/List", After: callLimit})
	defer cancel()
	state.Blobs = map[digest.Digest]int64{}
	stream, err := s.loading.content.List(bounded, &content.ListContentRequest{})
	err = listed(stream, err, func(answer *content.ListContentResponse) {
		for _, info := range answer.GetInfo() {
			state.Blobs[digest.Digest(info.GetDigest())] = info.GetSize()
		}
	})
	return s.failure(bounded, "Content/List", err)
}

// listSnapshots asks for all unpacked layers of the snapshotter that the CRI
// uses: the name of its folder says which.
func listSnapshots(ctx context.Context, s *session, state *State) error {
	answer, err := s.cri.ImageFsInfo(ctx, &cri.ImageFsInfoRequest{})
	if err != nil {
		return err
	}
	for _, filesystem := range answer.GetImageFilesystems() {
		_, name, found := strings.Cut(path.Base(filesystem.GetFsId().GetMountpoint()), "io.containerd.snapshotter.v1.")
		if found {
			state.Snapshotter = name
			break
		}
	}
	if state.Snapshotter == "" {
		return errors.New("its container runtime names no snapshotter of containerd")
	}
	bounded, cancel := context.WithTimeoutCause(ctx, callLimit, &SilentError{Method: "Snapshots/List", After: callLimit})
	defer cancel()
	state.Chains = map[digest.Digest]bool{}
	stream, err := s.loading.snapshots.List(bounded, &snapshots.ListSnapshotsRequest{Snapshotter: state.Snapshotter})
	err = listed(stream, err, func(answer *snapshots.ListSnapshotsResponse) {
		for _, info := range answer.GetInfo() {
			if info.GetKind() == snapshots.Kind_COMMITTED {
				state.Chains[digest.Digest(info.GetName())] = true
			}
		}
	})
	return s.failure(bounded, "Snapshots/List", err)
}
