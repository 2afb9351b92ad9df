package kindnodetest

import (
	"context"

	"github.com/containerd/containerd/api/services/content/v1"
	"github.com/containerd/containerd/api/services/snapshots/v1"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// blobSize is the size in bytes of what each image ID of a node consists of.
const blobSize = 1000

// contentServer is containerd's: each image is one blob.
type contentServer struct {
	content.UnimplementedContentServer
	cluster *Cluster
	node    string
}

func (s *contentServer) List(_ *content.ListContentRequest, stream content.Content_ListServer) error {
	answer := &content.ListContentResponse{}
	s.cluster.Change(func(n *Node) {
		for _, id := range n.listed() {
			answer.Info = append(answer.Info, &content.Info{Digest: id, Size: blobSize})
		}
	}, s.node)
	return stream.Send(answer)
}

// snapshotsServer is containerd's: nothing is unpacked.
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
