package containerd

import (
	"context"
	"strings"

	"github.com/containerd/containerd/api/services/content/v1"
	"google.golang.org/grpc"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/images"
)

// Usage tells what the blobs of each image take, by image ID. containerd labels a manifest with
// the config and the layers that it names, so that one call tells it of all images. Blobs that
// are named and not there, such as layers that were discarded once they were unpacked, take nothing.
func (c *Client) Usage(ctx context.Context) (map[string]images.Usage, error) {
	sizes, parts := map[string]int64{}, map[string]map[string]bool{}
	err := collect(ctx, c, "Content/List",
		func(ctx context.Context) (grpc.ServerStreamingClient[content.ListContentResponse], error) {
			return c.content.List(ctx, &content.ListContentRequest{})
		},
		func(answer *content.ListContentResponse) {
			for _, info := range answer.GetInfo() {
				sizes[info.GetDigest()] = info.GetSize()
				id := info.GetLabels()[gcContentLabel+"config"]
				if id == "" {
					continue
				}
				if parts[id] == nil {
					parts[id] = map[string]bool{}
				}
				parts[id][info.GetDigest()] = true
				for label, blob := range info.GetLabels() {
					if strings.HasPrefix(label, gcContentLabel) {
						parts[id][blob] = true
					}
				}
			}
		})
	return usageOf(sizes, parts), err
}

// usageOf adds up the parts of each image.
func usageOf(sizes map[string]int64, parts map[string]map[string]bool) map[string]images.Usage {
	users := map[string]int{}
	for _, blobs := range parts {
		for blob := range blobs {
			users[blob]++
		}
	}
	usage := map[string]images.Usage{}
	for id, blobs := range parts {
		var one images.Usage
		for blob := range blobs {
			one.Bytes += sizes[blob]
			if users[blob] == 1 {
				one.Unshared += sizes[blob]
			}
		}
		usage[id] = one
	}
	return usage
}
