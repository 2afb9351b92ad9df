package kindnode

import (
	"context"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/containerd"
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
		client, err := c.client(ctx, node)
		if err != nil {
			return nil, err
		}
		return disk(ctx, client)
	})
}

func disk(ctx context.Context, client *containerd.Client) (Disk, error) {
	state, err := look(ctx, client, atContent, atSnapshots)
	if err != nil {
		return nil, err
	}
	disk := Disk{}
	for blob, size := range state.Blobs {
		disk[blob.String()] = size
	}
	for chain := range state.Chains {
		size, err := client.SnapshotSize(ctx, state.Snapshotter, chain)
		if containerd.IsNotFound(err) {
			// It went meanwhile.
			continue
		}
		if err != nil {
			return nil, err
		}
		disk["layer "+chain.String()] = size
	}
	return disk, nil
}
