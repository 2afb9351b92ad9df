package lock

import (
	"cmp"
	"maps"
	"slices"
)

const (
	// apiVersion and kind of the file.
	apiVersion = "e2eimage.dev/v1alpha1"
	kind       = "Lock"
	// maxSuperseded bounds what an entry was before, and the clusters that it is in.
	maxSuperseded = 10
)

// Lock is what one host knows of a consumer's images: which image each was built,
// loaded or tagged as, and which clusters have it recorded.
type Lock struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Consumer   string `json:"consumer"`
	// Host whose engines the entries are about.
	Host string `json:"host"`
	// Images by name.
	Images map[string]*Entry `json:"images"`

	path string
}

// Put makes next the entry of name. next.Image, which may be freshly drawn, gives
// way to the recorded image of the same content, unless it has to be that one.
func (l *Lock) Put(name string, next Entry, exact bool) *Entry {
	before := l.Images[name]
	entry := &next
	if before != nil {
		if before.Same(entry) && before.Image != "" && !exact {
			entry.Image = before.Image
		}
		if before.Same(entry) {
			// What loading and tagging told is still true.
			entry.ImageID, entry.Digest = cmp.Or(entry.ImageID, before.ImageID), cmp.Or(entry.Digest, before.Digest)
			entry.Loaded, entry.Tagged = cmp.Or(entry.Loaded, before.Loaded), cmp.Or(entry.Tagged, before.Tagged)
		}
		entry.Supersedes = slices.Clone(before.Supersedes)
		if entry.Image == before.Image {
			entry.Clusters = before.Clusters
		} else if before.Image != "" {
			was := Superseded{
				Image: before.Image, ImageID: before.ImageID, Via: before.Via, Engine: before.Engine,
				EngineID: before.EngineID,
			}
			entry.Supersedes = slices.Insert(entry.Supersedes, 0, was)
		}
	}
	entry.Supersedes = slices.DeleteFunc(entry.Supersedes, func(s Superseded) bool { return s.Image == entry.Image })
	entry.Supersedes = entry.Supersedes[:min(len(entry.Supersedes), maxSuperseded)]
	l.Images[name] = entry
	return entry
}

// leaveHost forgets what the engines of another host have.
func (l *Lock) leaveHost() {
	for _, entry := range l.Images {
		entry.Engine, entry.EngineID = "", ""
		for i := range entry.Supersedes {
			entry.Supersedes[i].Engine, entry.Supersedes[i].EngineID = "", ""
		}
	}
}

// Names of the images, sorted.
func (l *Lock) Names() []string { return slices.Sorted(maps.Keys(l.Images)) }

// Path of the file that the lock is in.
func (l *Lock) Path() string { return l.path }
