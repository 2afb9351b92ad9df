// Package containerdtest is the containerd of a Kubernetes node in memory, for tests: it speaks
// its API and the CRI's, as far as package containerd uses them. Its images have no layers, and
// nothing is ever collected as garbage. It has no logic of the product.
package containerdtest

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/containerd"
)

// Node is what one node has. Its fields are for Change only, once it serves.
type Node struct {
	CA []byte
	// Images are names → image IDs, Owners names → owner labels.
	Images, Owners map[string]string
	// Since is when names were given, long ago where it does not say.
	Since map[string]time.Time
	// Pulled by the kubelet itself: image ID → repositories.
	Pulled     map[string][]string
	Containers []containerd.Container
	// Pods are the IDs of the sandboxes that are ready.
	Pods []string

	// ids are the image IDs that the CRI gave a name of their own.
	ids map[string]bool
	// blobs are what was written, by digest, and manifests the digests of those that
	// describe an image, by its ID.
	blobs     map[string][]byte
	manifests map[string]string
	// labels of the blobs.
	labels map[string]map[string]string

	mu sync.Mutex
	// ownerLabel is the label whose values Owners are.
	ownerLabel string
}

// New returns a node that has nothing but a certificate authority. ownerLabel is the only
// label that its names can have, besides that of the CRI.
func New(ca []byte, ownerLabel string) *Node {
	return &Node{
		CA: ca, Images: map[string]string{}, Owners: map[string]string{}, Since: map[string]time.Time{},
		ids: map[string]bool{}, blobs: map[string][]byte{}, manifests: map[string]string{},
		labels: map[string]map[string]string{}, ownerLabel: ownerLabel,
	}
}

// Change does something to the node between two calls.
func (n *Node) Change(do func(*Node)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	do(n)
}

// Load gives the node an image as somebody else's import would, which labels nothing. It is
// for Change.
func (n *Node) Load(name, imageID string) {
	n.add(name, imageID)
	n.own(name, "")
}

// add names an image. The name has no owner, or another one than before.
func (n *Node) add(name, imageID string) {
	n.Images[name] = imageID
	n.ids[imageID] = true
}

// Empty takes all images off the node, with the names that the CRI gave them.
func (n *Node) Empty() {
	clear(n.Images)
	clear(n.Owners)
	clear(n.ids)
}

// own sets a name's owner label; "" is none, as containerd has it.
func (n *Node) own(name, owner string) {
	if delete(n.Owners, name); owner != "" {
		n.Owners[name] = owner
	}
}

// imageOf is the image ID of what a name is to stand for: the config of a manifest that
// was written, else, of an image that a test has loaded, the ID itself.
func (n *Node) imageOf(target string) string {
	var manifest ocispec.Manifest
	if json.Unmarshal(n.blobs[target], &manifest) != nil || manifest.Config.Digest == "" {
		return target
	}
	id := manifest.Config.Digest.String()
	n.manifests[id] = target
	return id
}

// targetOf is what names of an image stand for.
func (n *Node) targetOf(imageID string) string { return cmp.Or(n.manifests[imageID], imageID) }

// Forget takes names away as somebody else's `ctr images rm` would.
func (n *Node) Forget(names ...string) {
	for _, name := range names {
		delete(n.Images, name)
		delete(n.Owners, name)
	}
}

// Remove takes an image away with the CRI's own name for it.
func (n *Node) Remove(imageID string) { delete(n.ids, imageID) }

// Find returns the image ID that a name or image ID stands for.
func (n *Node) Find(name string) (string, bool) {
	if id, ok := n.Images[name]; ok {
		return id, true
	}
	return name, n.ids[name]
}

// listed are the image IDs that the CRI lists, sorted.
func (n *Node) listed() []string {
	all := maps.Clone(n.ids)
	for _, id := range n.Images {
		all[id] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// names are all tags of an image ID, sorted.
func (n *Node) names(imageID string) []string {
	var names []string
	for name, id := range n.Images {
		if id == imageID {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// handshake is what a node tells before it is connected.
func (n *Node) handshake() (string, error) {
	var out strings.Builder
	out.WriteString("\n@@e2eimage machine\nx86_64\n\n@@e2eimage ca\n" + string(n.CA) + "\n@@e2eimage pulled\n")
	for _, id := range slices.Sorted(maps.Keys(n.Pulled)) {
		mapping := map[string]any{}
		for _, repository := range n.Pulled[id] {
			mapping[repository] = map[string]any{"nodePodsAccessible": true}
		}
		if err := json.NewEncoder(&out).Encode(map[string]any{
			"kind": "ImagePulledRecord", "imageRef": id,
			"credentialMapping": mapping,
		}); err != nil {
			return "", err
		}
	}
	out.WriteString("\n@@e2eimage connected\n")
	return out.String(), nil
}
