package kindnode

import "github.com/opencontainers/go-digest"

// States are what nodes have, by node name.
type States map[string]State

// LayerSize is the size of a layer in bytes, where any of the nodes has it.
func (s States) LayerSize(diffID digest.Digest) (bytes int64, known bool) {
	for _, state := range s {
		if size, has := state.Blobs[diffID]; has {
			return size, true
		}
	}
	return 0, false
}
