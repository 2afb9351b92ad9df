package containerd

import (
	"context"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/containerd/containerd/api/services/content/v1"
	"github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/opencontainers/go-digest"
	"google.golang.org/grpc"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Blobs returns all contents that the node has, with their sizes in bytes.
func (c *Client) Blobs(ctx context.Context) (map[digest.Digest]int64, error) {
	blobs := map[digest.Digest]int64{}
	err := collect(ctx, c, "Content/List",
		func(ctx context.Context) (grpc.ServerStreamingClient[content.ListContentResponse], error) {
			return c.content.List(ctx, &content.ListContentRequest{})
		},
		func(answer *content.ListContentResponse) {
			for _, info := range answer.GetInfo() {
				blobs[digest.Digest(info.GetDigest())] = info.GetSize()
			}
		})
	return blobs, err
}

// Snapshotter is what the CRI unpacks images by: the name of its folder says which.
func (c *Client) Snapshotter(ctx context.Context) (string, error) {
	answer, err := c.cri.ImageFsInfo(ctx, &cri.ImageFsInfoRequest{})
	if err != nil {
		return "", err
	}
	for _, filesystem := range answer.GetImageFilesystems() {
		_, name, found := strings.Cut(path.Base(filesystem.GetFsId().GetMountpoint()), "io.containerd.snapshotter.v1.")
		if found && name != "" {
			return name, nil
		}
	}
	return "", errors.New("its container runtime names no snapshotter of containerd")
}

// Snapshots returns the unpacked layers of a snapshotter, by the chain ID up to each.
func (c *Client) Snapshots(ctx context.Context, snapshotter string) (map[digest.Digest]bool, error) {
	chains := map[digest.Digest]bool{}
	err := collect(ctx, c, "Snapshots/List",
		func(ctx context.Context) (grpc.ServerStreamingClient[snapshots.ListSnapshotsResponse], error) {
			return c.snapshots.List(ctx, &snapshots.ListSnapshotsRequest{Snapshotter: snapshotter})
		},
		func(answer *snapshots.ListSnapshotsResponse) {
			for _, info := range answer.GetInfo() {
				if info.GetKind() == snapshots.Kind_COMMITTED {
					chains[digest.Digest(info.GetName())] = true
				}
			}
		})
	return chains, err
}

// SnapshotSize is what an unpacked layer takes, in bytes.
func (c *Client) SnapshotSize(ctx context.Context, snapshotter string, chain digest.Digest) (int64, error) {
	usage, err := c.snapshots.Usage(ctx, &snapshots.UsageRequest{Snapshotter: snapshotter, Key: chain.String()})
	return usage.GetSize(), err
}

// collect takes all that a stream of answers has, within the time of one call.
func collect[T any](ctx context.Context, c *Client, method string,
	open func(context.Context) (grpc.ServerStreamingClient[T], error), add func(*T),
) error {
	bounded, cancel := context.WithTimeoutCause(ctx, callLimit, &NoResponseError{Method: method, After: callLimit})
	defer cancel()
	stream, err := open(bounded)
	for err == nil {
		var answer *T
		if answer, err = stream.Recv(); err == nil {
			add(answer)
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return c.failure(bounded, method, err)
}
