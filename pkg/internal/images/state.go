package images

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// State is what one part of a store has. A node has all of it; a registry has Images, the
// Owners that a record says, Names, Blobs and Chains.
type State struct {
	// CA is the PEM of the cluster's certificate authority as the node has it.
	CA []byte
	// Platform in OCI form, like linux/amd64.
	Platform string
	// Images are those that the CRI lists: what the kubelet can run.
	Images []Image
	// Owners says which record each name that carries the owner label belongs to.
	Owners map[string]string
	// OwnedSince is when each of those names was given.
	OwnedSince map[string]time.Time
	// Pulled are the images that the kubelet pulled itself, by image ID.
	Pulled map[string]Pulled
	// Snapshotter that images are unpacked by. Filled on demand, with what
	// images are made of.
	Snapshotter string
	// Names are all that containerd has, of which the CRI follows a moment later.
	Names map[string]bool
	// Blobs are the contents that the node has, with their sizes in bytes.
	Blobs map[digest.Digest]int64
	// Usage is what the blobs of each image take, by image ID. Filled on demand.
	Usage map[string]Usage
	// Chains are the unpacked layers, by the chain ID up to each.
	Chains map[digest.Digest]bool
	// Containers are the CRI's containers, running or not. Filled on demand.
	Containers []Container
	// Pods are the IDs of the pod sandboxes that are ready. Filled on demand.
	Pods []string
}

// Image is one that a part of a store has.
type Image struct {
	// ID is the config digest, sha256:…
	ID          string
	RepoTags    []string
	RepoDigests []string
}

// Usage is what the blobs of an image take in bytes: config, layers and the manifests that
// name them, as they are stored. Layers that are unpacked take more, which is not counted.
type Usage struct {
	Bytes int64
	// Unshared of them are of no other image there.
	Unshared int64
}

// Container is a container as the CRI lists it.
type Container struct {
	ID string
	// ImageRef is the config digest of the image that it really runs.
	ImageRef string
	// Image is the name that the pod's spec asked for.
	Image string
	// Exited is set when it does not run any more.
	Exited bool
	// Created by its runtime's clock.
	Created time.Time
	// PodID is the ID of the pod's sandbox.
	PodID string
	// Namespace and Pod that it belongs to.
	Namespace, Pod string
}

// Pulled is the kubelet's note about an image that it pulled
// (k8s.io/kubernetes/pkg/kubelet/apis/config, ImagePulledRecord).
type Pulled struct {
	ImageRef          string                     `json:"imageRef"`
	CredentialMapping map[string]json.RawMessage `json:"credentialMapping"`
}

// Repositories under which the kubelet lets this image start, sorted.
func (p Pulled) Repositories() []string {
	return slices.Sorted(maps.Keys(p.CredentialMapping))
}

// InUse tells whether a container runs, or is about to be restarted because its
// pod is still there.
func (s State) InUse(container Container) bool {
	return !container.Exited || slices.Contains(s.Pods, container.PodID)
}

// Needs tells whether a container in use would not start again without a name. containerd
// before 2.0 does not say by which of an image's names a container was made: any of them
// may be it.
func (s State) Needs(container Container, name string) bool {
	if !s.InUse(container) {
		return false
	}
	if container.Image == "" {
		return container.ImageRef != "" && s.ID(name) == container.ImageRef
	}
	return container.Image == name
}

// Runs tells whether a container of the image ID is in use.
func (s State) Runs(imageID string) bool {
	return slices.ContainsFunc(s.Containers, func(c Container) bool { return c.ImageRef == imageID && s.InUse(c) })
}

// ID returns the image ID that the CRI has under name, or "".
func (s State) ID(name string) string {
	for _, image := range s.Images {
		if image.ID == name || slices.Contains(image.RepoTags, name) || slices.Contains(image.RepoDigests, name) {
			return image.ID
		}
	}
	return ""
}

// Whole tells whether the node can run the image as it is: the CRI lists it,
// containerd has it under one of the CRI's names, and it is unpacked.
func (s State) Whole(image ociimage.Image) bool {
	i := slices.IndexFunc(s.Images, func(listed Image) bool { return listed.ID == image.ID.String() })
	if i < 0 {
		return false
	}
	if chains := image.ChainIDs(); len(chains) > 0 && !s.Chains[chains[len(chains)-1]] {
		return false
	}
	named := append(append([]string{s.Images[i].ID}, s.Images[i].RepoTags...), s.Images[i].RepoDigests...)
	return slices.ContainsFunc(named, func(name string) bool { return s.Names[name] })
}

// Missing returns those of the image's layers, each once, that a node would have to
// be sent: neither the layer nor everything that was unpacked from it is there.
// sized tells whether the size of a layer is known without it.
func (s State) Missing(image ociimage.Image, sized func(digest.Digest) bool) []digest.Digest {
	var missing []digest.Digest
	for i, chain := range image.ChainIDs() {
		diffID := image.DiffIDs[i]
		if _, has := s.Blobs[diffID]; has || s.Chains[chain] && sized(diffID) || slices.Contains(missing, diffID) {
			continue
		}
		missing = append(missing, diffID)
	}
	return missing
}

// add notes an image that the node has got, with its names and the layers that are there
// as blobs.
func (s *State) add(image ociimage.Image, names []Name, blobs map[digest.Digest]int64) {
	maps.Copy(s.Blobs, blobs)
	for _, chain := range image.ChainIDs() {
		s.Chains[chain] = true
	}
	images := slices.Clone(s.Images)
	at := slices.IndexFunc(images, func(listed Image) bool { return listed.ID == image.ID.String() })
	if at < 0 {
		at, images = len(images), append(images, Image{ID: image.ID.String()})
	}
	for _, name := range names {
		for i, listed := range images {
			images[i].RepoTags = slices.DeleteFunc(slices.Clone(listed.RepoTags), func(tag string) bool {
				return tag == name.Text
			})
		}
		images[at].RepoTags = append(images[at].RepoTags, name.Text)
		s.Names[name.Text] = true
		if _, owned := s.Owners[name.Text]; name.Owner != "" && !owned {
			s.Owners[name.Text], s.OwnedSince[name.Text] = name.Owner, time.Now()
		}
	}
	s.Images = images
}
