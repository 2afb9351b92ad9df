package containerdtest

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"

	"github.com/containerd/containerd/api/services/content/v1"
	"github.com/containerd/containerd/api/services/leases/v1"
	"github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/opencontainers/go-digest"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// blobSize is the size in bytes of what each image consists of that a test has loaded.
const blobSize = 1000

// contentServer is containerd's: the blobs that were written, and one for each image that
// a test has loaded.
type contentServer struct {
	content.UnimplementedContentServer
	node *Node
}

func (s *contentServer) List(_ *content.ListContentRequest, stream content.Content_ListServer) error {
	answer := &content.ListContentResponse{}
	s.node.Change(func(n *Node) {
		for _, blob := range slices.Sorted(maps.Keys(n.blobs)) {
			answer.Info = append(answer.Info, n.info(blob))
		}
		for _, id := range n.listed() {
			if n.blobs[id] == nil {
				answer.Info = append(answer.Info, n.info(id))
			}
		}
	})
	return stream.Send(answer)
}

func (n *Node) info(blob string) *content.Info {
	size := int64(blobSize)
	if text, written := n.blobs[blob]; written {
		size = int64(len(text))
	}
	labels := n.labels[blob]
	if _, written := n.blobs[blob]; !written {
		// All that the image consists of, as its own manifest.
		labels = map[string]string{"containerd.io/gc.ref.content.config": blob}
	}
	return &content.Info{Digest: blob, Size: size, Labels: labels}
}

func (s *contentServer) Info(_ context.Context, request *content.InfoRequest) (*content.InfoResponse, error) {
	node := s.node
	if blob := request.GetDigest(); node.blobs[blob] != nil || slices.Contains(node.listed(), blob) {
		return &content.InfoResponse{Info: node.info(blob)}, nil
	}
	return nil, status.Errorf(codes.NotFound, "content %s: not found", request.GetDigest())
}

// Update changes labels, which serve garbage collection only.
func (s *contentServer) Update(_ context.Context, request *content.UpdateRequest) (*content.UpdateResponse, error) {
	return &content.UpdateResponse{Info: request.GetInfo()}, nil
}

// Abort has nothing to take back: only a commit keeps what was written.
func (s *contentServer) Abort(context.Context, *content.AbortRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (s *contentServer) Write(stream content.Content_WriteServer) error {
	var written []byte
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if request.GetAction() != content.WriteAction_STAT && request.GetOffset() != int64(len(written)) {
			return status.Errorf(codes.OutOfRange, "offset %d, expected %d", request.GetOffset(), len(written))
		}
		written = append(written, request.GetData()...)
		answer := &content.WriteContentResponse{Action: request.GetAction(), Offset: int64(len(written))}
		if request.GetAction() == content.WriteAction_COMMIT {
			answer.Digest = digest.FromBytes(written).String()
			if err := s.commit(answer.GetDigest(), written, request); err != nil {
				return err
			}
		}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
}

func (s *contentServer) commit(blob string, written []byte, request *content.WriteContentRequest) (err error) {
	s.node.Change(func(n *Node) {
		switch {
		case request.GetExpected() != "" && request.GetExpected() != blob:
			err = status.Errorf(codes.FailedPrecondition, "unexpected commit digest %s, expected %s", blob,
				request.GetExpected())
		case n.blobs[blob] != nil:
			err = status.Errorf(codes.AlreadyExists, "content %s: already exists", blob)
		default:
			n.blobs[blob], n.labels[blob] = written, request.GetLabels()
		}
	})
	return err
}

// leasesServer is containerd's. Nothing is collected, whatever a lease keeps.
type leasesServer struct {
	leases.UnimplementedLeasesServer
}

func (leasesServer) Create(_ context.Context, request *leases.CreateRequest) (*leases.CreateResponse, error) {
	return &leases.CreateResponse{Lease: &leases.Lease{ID: request.GetID(), Labels: request.GetLabels()}}, nil
}

func (leasesServer) AddResource(context.Context, *leases.AddResourceRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (leasesServer) Delete(context.Context, *leases.DeleteRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// snapshotsServer is containerd's: images without layers have nothing to unpack.
type snapshotsServer struct {
	snapshots.UnimplementedSnapshotsServer
}

func (snapshotsServer) List(*snapshots.ListSnapshotsRequest, snapshots.Snapshots_ListServer) error {
	return nil
}

func (s *imageService) ImageFsInfo(context.Context, *cri.ImageFsInfoRequest) (*cri.ImageFsInfoResponse, error) {
	mount := &cri.FilesystemIdentifier{Mountpoint: "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs"}
	return &cri.ImageFsInfoResponse{ImageFilesystems: []*cri.FilesystemUsage{{FsId: mount}}}, nil
}
