package lock

import (
	"cmp"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Ways in which an entry came to be.
const (
	// ViaBuild: built by the product. Its image ID is pinned.
	ViaBuild = "build"
	// ViaPrebuilt: adopted. Its image ID is pinned, the host's copy is not ours.
	ViaPrebuilt = "prebuilt"
	// ViaLoad: built by others, loaded by the product. Its image ID is pinned.
	ViaLoad = "load"
	// ViaTag: built and loaded by others; what the source stands for on the nodes
	// decides each time.
	ViaTag = "tag"
)

// Entry is one image of a Lock.
type Entry struct {
	// Image is the recorded image, "" until a tag is decided.
	Image string `json:"image,omitempty"`
	// ImageID is the config digest, "" where only loading tells it.
	ImageID string `json:"imageID,omitempty"`
	// Digest of the index or manifest that the image is in a registry, "" where it is in none.
	Digest string `json:"digest,omitempty"`
	// Via is build, prebuilt, load or tag.
	Via string `json:"via"`
	// Engine that has it and what that calls its ID, "" for an archive.
	Engine   string `json:"engine,omitempty"`
	EngineID string `json:"engineID,omitempty"`
	// Source that it was built as, loaded or tagged from.
	Source   string `json:"source,omitempty"`
	Platform string `json:"platform,omitempty"`
	// By is who did it last, user@host.
	By string `json:"by,omitempty"`
	// Commit and Tree are what it was built from.
	Commit string `json:"commit,omitempty"`
	Tree   *Tree  `json:"tree,omitempty"`
	// Built, Loaded and Tagged are when that was done last.
	Built  *metav1.Time `json:"built,omitempty"`
	Loaded *metav1.Time `json:"loaded,omitempty"`
	Tagged *metav1.Time `json:"tagged,omitempty"`
	// Clusters that have the recorded image as their record.
	Clusters []Cluster `json:"clusters,omitempty"`
	// Supersedes are the images that the entry was before, the newest first.
	Supersedes []Superseded `json:"supersedes,omitempty"`
}

// Tree is the state of what an image was built from, as digests.
type Tree struct {
	// Metadata of all files: equal means unchanged, and costs little to tell.
	Metadata string `json:"metadata"`
	// Content of all files.
	Content string `json:"content"`
	// Settings of the build, salted: arguments may be secrets.
	Settings string `json:"settings"`
	Salt     string `json:"salt"`
	// Engine that read the files, "" for a command of the user's own; Legacy is set where
	// docker may have done so without BuildKit.
	Engine string `json:"engine,omitempty"`
	Legacy bool   `json:"legacy,omitempty"`
	// Dockerfiles, IgnoreFile and Also are files and folders that flags named, relative
	// to the context.
	Dockerfiles []string `json:"dockerfiles,omitempty"`
	IgnoreFile  string   `json:"ignoreFile,omitempty"`
	Also        []string `json:"also,omitempty"`
	// Bases are the images that it was built on, with the engine's IDs; "" for one that
	// the engine did not keep.
	Bases map[string]string `json:"bases,omitempty"`
}

// Cluster is a cluster, and the namespace in it, whose record has an entry's image.
type Cluster struct {
	// CA is the fingerprint of its certificate authority: names come back.
	CA          string      `json:"ca"`
	KindCluster string      `json:"kindCluster"`
	Namespace   string      `json:"namespace"`
	At          metav1.Time `json:"at"`
}

// Superseded is what an entry was before.
type Superseded struct {
	Image    string `json:"image"`
	ImageID  string `json:"imageID,omitempty"`
	Via      string `json:"via,omitempty"`
	Engine   string `json:"engine,omitempty"`
	EngineID string `json:"engineID,omitempty"`
}

// Pinned tells whether the entry says which content it is, whatever its source
// stands for by now.
func (e *Entry) Pinned() bool { return e != nil && e.Via != ViaTag && e.ImageID != "" }

// Ours tells whether the host's copy was made by the product.
func (e *Entry) Ours() bool { return e.Via == ViaBuild }

// Same tells whether two entries are of the same content.
func (e *Entry) Same(other *Entry) bool {
	if e.ImageID != "" && other.ImageID != "" {
		return e.ImageID == other.ImageID
	}
	return e.EngineID != "" && e.EngineID == other.EngineID && e.Engine == other.Engine
}

// Replaces tells whether the entry came after an image.
func (e *Entry) Replaces(image string) bool {
	return slices.ContainsFunc(e.Supersedes, func(s Superseded) bool { return s.Image == image })
}

// ClusterOf returns the namespace of a cluster that has the entry's image recorded, nil
// where it has not.
func (e *Entry) ClusterOf(ca, namespace string) *Cluster {
	for i := range e.Clusters {
		if e.Clusters[i].CA == ca && e.Clusters[i].Namespace == namespace {
			return &e.Clusters[i]
		}
	}
	return nil
}

// Made is when the entry's content was built, adopted or, where others built it, loaded.
func (e *Entry) Made() *metav1.Time { return cmp.Or(e.Built, e.Loaded) }

// Newest is when something was done last with the entry's image.
func (e *Entry) Newest() time.Time {
	var newest time.Time
	for _, done := range []*metav1.Time{e.Built, e.Loaded, e.Tagged} {
		if done != nil && done.After(newest) {
			newest = done.Time
		}
	}
	return newest
}

// AddCluster notes that a cluster has the entry's image recorded.
func (e *Entry) AddCluster(cluster Cluster) {
	e.RemoveCluster(cluster.CA, cluster.Namespace)
	e.Clusters = append(e.Clusters, cluster)
	e.Clusters = e.Clusters[max(0, len(e.Clusters)-maxSuperseded):]
}

// RemoveCluster takes a namespace of a cluster out of the entry.
func (e *Entry) RemoveCluster(ca, namespace string) {
	e.Clusters = slices.DeleteFunc(e.Clusters, func(c Cluster) bool { return c.CA == ca && c.Namespace == namespace })
}

// Beyond are those of the superseded images that the host has, but for the first keep.
func (e *Entry) Beyond(keep int) []Superseded {
	beyond := slices.Clone(e.Supersedes[min(keep, len(e.Supersedes)):])
	return slices.DeleteFunc(beyond, func(s Superseded) bool { return s.Engine == "" })
}

// Dropped forgets that the host has some of the superseded images.
func (e *Entry) Dropped(images []Superseded) {
	for i, s := range e.Supersedes {
		if slices.Contains(images, s) {
			e.Supersedes[i].Engine, e.Supersedes[i].EngineID = "", ""
		}
	}
}
