package images

import (
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// States are what the parts of a store have, by name: of nodes, or of the one registry.
type States map[string]State

// Nodes are the nodes' names, sorted.
func (s States) Nodes() []string { return slices.Sorted(maps.Keys(s)) }

// All are the nodes with what they have, in the order of their names.
func (s States) All() iter.Seq2[string, State] {
	return func(yield func(string, State) bool) {
		for _, node := range s.Nodes() {
			if !yield(node, s[node]) {
				return
			}
		}
	}
}

func (s States) nodesWhere(is func(State) bool) []string {
	return slices.DeleteFunc(s.Nodes(), func(node string) bool { return !is(s[node]) })
}

// Platform of the nodes, like linux/amd64; all of a Kind cluster are containers of one host.
func (s States) Platform() string {
	for _, state := range s.All() {
		return state.Platform
	}
	return ""
}

// With are the nodes that have a name or an image ID, sorted.
func (s States) With(name string) []string {
	return s.nodesWhere(func(state State) bool { return state.ID(name) != "" })
}

// Lacking are the nodes where a name is not that of the image, sorted.
func (s States) Lacking(name, imageID string) []string {
	return s.nodesWhere(func(state State) bool { return state.ID(name) != imageID })
}

// Having are the nodes where a name is that of the image, sorted.
func (s States) Having(name, imageID string) []string {
	return s.nodesWhere(func(state State) bool { return state.ID(name) == imageID })
}

// NotWhole are the nodes that cannot run the image as it is, sorted; see State.Whole.
func (s States) NotWhole(image ociimage.Image) []string {
	return s.nodesWhere(func(state State) bool { return !state.Whole(image) })
}

// Everywhere tells whether every node has the image ID, and there are nodes.
func (s States) Everywhere(imageID string) bool { return len(s) > 0 && len(s.With(imageID)) == len(s) }

// IDs are the image IDs that nodes have under any of the names, each once.
func (s States) IDs(names ...string) []string {
	var ids []string
	for _, state := range s.All() {
		for _, name := range names {
			if id := state.ID(name); id != "" && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// Tags are all that any node has, sorted.
func (s States) Tags() []string {
	var tags []string
	for _, state := range s {
		for _, image := range state.Images {
			tags = append(tags, image.RepoTags...)
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

// Owned is a name on one node that carries an owner label.
type Owned struct {
	Node, Name, Owner string
	// Since is when it was given.
	Since time.Time
}

// Owners are all names that carry an owner label, node by node.
func (s States) Owners() iter.Seq[Owned] {
	return func(yield func(Owned) bool) {
		for node, state := range s.All() {
			for _, name := range slices.Sorted(maps.Keys(state.Owners)) {
				if !yield(Owned{Node: node, Name: name, Owner: state.Owners[name], Since: state.OwnedSince[name]}) {
					return
				}
			}
		}
	}
}

// OwnedBy are the names that any node has for an owner, sorted.
func (s States) OwnedBy(owner string) []string {
	var names []string
	for owned := range s.Owners() {
		if owned.Owner == owner {
			names = append(names, owned.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Containers are those of all nodes, with their nodes.
func (s States) Containers() iter.Seq2[string, Container] {
	return func(yield func(string, Container) bool) {
		for node, state := range s.All() {
			for _, container := range state.Containers {
				if !yield(node, container) {
					return
				}
			}
		}
	}
}

// UsedBy are the containers that would not start again without a name, with their nodes.
func (s States) UsedBy(name string) iter.Seq2[string, Container] {
	return func(yield func(string, Container) bool) {
		for node, container := range s.Containers() {
			if s[node].Needs(container, name) && !yield(node, container) {
				return
			}
		}
	}
}

// LayerSize is the size of a layer in bytes, where any of the nodes has it.
func (s States) LayerSize(diffID digest.Digest) (bytes int64, known bool) {
	for _, state := range s {
		if size, has := state.Blobs[diffID]; has {
			return size, true
		}
	}
	return 0, false
}

// KnowsLayer tells whether any of the nodes has a layer, so that its size is known.
func (s States) KnowsLayer(diffID digest.Digest) bool {
	_, known := s.LayerSize(diffID)
	return known
}

// Delivered notes what Finish, or GiveNames, brought to nodes, so that they need not be
// asked again.
func (s States) Delivered(nodes []string, image ociimage.Image, names []Name, done map[string]Delivered) {
	for _, node := range nodes {
		state := s[node]
		state.add(image, names, done[node].Blobs)
		s[node] = state
	}
}
