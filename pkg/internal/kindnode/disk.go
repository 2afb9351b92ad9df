package kindnode

import (
	"context"

	"github.com/containerd/containerd/api/services/snapshots/v1"
	"google.golang.org/grpc/codes"
)

// Disk is what the images of a node take: the bytes of each blob and each unpacked
// layer, by its name.
type Disk map[string]int64

// Freed is how many bytes were there and are not any more.
func (d Disk) Freed(now Disk) int64 {
	var freed int64
	for name, size := range d {
		if _, stays := now[name]; !stays {
			freed += size
		}
	}
	return freed
}

// Disk asks all nodes what their images take.
func (c *Cluster) Disk(ctx context.Context) (map[string]Disk, error) {
	return forEach(c.Names(), func(node string) (Disk, error) {
		s, err := c.session(ctx, node)
		if err != nil {
			return nil, err
		}
		return s.disk(ctx)
	})
}

func (s *session) disk(ctx context.Context) (Disk, error) {
	state, err := s.state(ctx, listContent, listSnapshots)
	if err != nil {
		return nil, err
	}
	disk := Disk{}
	for blob, size := range state.Blobs {
		disk[blob.String()] = size
	}
	for chain := range state.Chains {
		usage, err := s.loading.snapshots.Usage(ctx,
			&snapshots.UsageRequest{Snapshotter: state.Snapshotter, Key: chain.String()})
		if isCode(err, codes.NotFound) {
			// It went meanwhile.
			continue
		}
		if err != nil {
			return nil, err
		}
		disk["layer "+chain.String()] = usage.GetSize()
	}
	return disk, nil
}
