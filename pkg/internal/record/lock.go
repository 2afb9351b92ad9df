package record

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

const lockKind = "Lock"

// Lock is what one host knows of a consumer's images: which image each was built,
// loaded or tagged as, and which clusters that was carried into.
type Lock struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Consumer   string `json:"consumer"`
	// Host whose engines the entries are about.
	Host string `json:"host"`
	// Images by name.
	Images map[string]*Locked `json:"images"`

	path string
}

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

// Locked is one image of a Lock.
type Locked struct {
	// Image is the recorded image, "" until a tag is decided.
	Image string `json:"image,omitempty"`
	// ImageID is the config digest, "" where only loading tells it.
	ImageID string `json:"imageID,omitempty"`
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
	Clusters []Carried `json:"clusters,omitempty"`
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

// Carried is a cluster that an entry was carried into.
type Carried struct {
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
func (l *Locked) Pinned() bool { return l != nil && l.Via != ViaTag && l.ImageID != "" }

// Ours tells whether the host's copy was made by the product.
func (l *Locked) Ours() bool { return l.Via == ViaBuild }

// Same tells whether two entries are of the same content.
func (l *Locked) Same(other *Locked) bool {
	if l.ImageID != "" && other.ImageID != "" {
		return l.ImageID == other.ImageID
	}
	return l.EngineID != "" && l.EngineID == other.EngineID && l.Engine == other.Engine
}

// Replaces tells whether the entry came after an image.
func (l *Locked) Replaces(image string) bool {
	return slices.ContainsFunc(l.Supersedes, func(s Superseded) bool { return s.Image == image })
}

// In returns when the entry was carried into a namespace of a cluster, nil for
// never.
func (l *Locked) In(ca, namespace string) *Carried {
	for i := range l.Clusters {
		if l.Clusters[i].CA == ca && l.Clusters[i].Namespace == namespace {
			return &l.Clusters[i]
		}
	}
	return nil
}

// Made is when the entry's content was built, adopted or, where others built it, loaded.
func (l *Locked) Made() *metav1.Time { return orTime(l.Built, l.Loaded) }

// Newest is when something was done last with the entry's image.
func (l *Locked) Newest() time.Time {
	var newest time.Time
	for _, done := range []*metav1.Time{l.Built, l.Loaded, l.Tagged} {
		if done != nil && done.After(newest) {
			newest = done.Time
		}
	}
	return newest
}

// Carry notes that a cluster has the entry's image recorded.
func (l *Locked) Carry(ca, kindCluster, namespace string) {
	l.Clusters = slices.DeleteFunc(l.Clusters, func(c Carried) bool { return c.CA == ca && c.Namespace == namespace })
	l.Clusters = append(l.Clusters, Carried{CA: ca, KindCluster: kindCluster, Namespace: namespace, At: Now()})
	l.Clusters = l.Clusters[max(0, len(l.Clusters)-maxPrevious):]
}

// Forget takes a namespace of a cluster out of the entry.
func (l *Locked) Forget(ca, namespace string) {
	l.Clusters = slices.DeleteFunc(l.Clusters, func(c Carried) bool { return c.CA == ca && c.Namespace == namespace })
}

// Put makes next the entry of name. next.Image, which may be freshly drawn, gives
// way to the recorded image of the same content, unless it has to be that one.
func (l *Lock) Put(name string, next Locked, exact bool) *Locked {
	before := l.Images[name]
	entry := &next
	if before != nil {
		if before.Same(entry) && before.Image != "" && !exact {
			entry.Image = before.Image
		}
		if before.Same(entry) {
			// What loading and tagging told is still true.
			entry.ImageID = cmp.Or(entry.ImageID, before.ImageID)
			entry.Loaded, entry.Tagged = orTime(entry.Loaded, before.Loaded), orTime(entry.Tagged, before.Tagged)
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
	entry.Supersedes = entry.Supersedes[:min(len(entry.Supersedes), maxPrevious)]
	l.Images[name] = entry
	return entry
}

func orTime(a, b *metav1.Time) *metav1.Time {
	if a != nil {
		return a
	}
	return b
}

// Beyond are those of the superseded images that the host has, but for the first keep.
func (l *Locked) Beyond(keep int) []Superseded {
	beyond := slices.Clone(l.Supersedes[min(keep, len(l.Supersedes)):])
	return slices.DeleteFunc(beyond, func(s Superseded) bool { return s.Engine == "" })
}

// Dropped forgets that the host has some of the superseded images.
func (l *Locked) Dropped(images []Superseded) {
	for i, s := range l.Supersedes {
		if slices.Contains(images, s) {
			l.Supersedes[i].Engine, l.Supersedes[i].EngineID = "", ""
		}
	}
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

// LockError says what is wrong with a lock file.
type LockError struct {
	Path string
	// Newer is the version that wrote it, "" where it is damaged.
	Newer string
	Err   error
}

func (e *LockError) Error() string {
	if e.Newer != "" {
		return fmt.Sprintf("%s was written as %s, which this version does not know (it writes %s %s); use a newer "+
			"kubectl-e2eimage", e.Path, e.Newer, APIVersion, lockKind)
	}
	return fmt.Sprintf("%s is damaged: %v\nremove it (rm %s), then build or load the images again", e.Path, e.Err, e.Path)
}

// Unwrap returns what could not be read.
func (e *LockError) Unwrap() error { return e.Err }

// OtherLockError says that a lock file is another consumer's.
type OtherLockError struct{ Path, Has, Wanted string }

func (e *OtherLockError) Error() string {
	return fmt.Sprintf("%s is the lock file of consumer %q, not of %q; give another file with --lock, or that consumer "+
		"with --consumer", e.Path, e.Has, e.Wanted)
}

func parseLock(path, consumer string, text []byte) (*Lock, error) {
	var lock Lock
	if err := yaml.Unmarshal(text, &lock); err != nil {
		return nil, &LockError{Path: path, Err: err}
	}
	switch {
	case lock.APIVersion == "" || lock.Kind == "":
		return nil, &LockError{Path: path, Err: fmt.Errorf("it has no apiVersion or kind")}
	case lock.APIVersion != APIVersion || lock.Kind != lockKind:
		return nil, &LockError{Path: path, Newer: lock.APIVersion + " " + lock.Kind}
	case consumer != "" && lock.Consumer != consumer:
		return nil, &OtherLockError{Path: path, Has: lock.Consumer, Wanted: consumer}
	}
	for name, entry := range lock.Images {
		if entry == nil || entry.Via == "" {
			return nil, &LockError{Path: path, Err: fmt.Errorf("its entry %s is incomplete", name)}
		}
	}
	if lock.Images == nil {
		lock.Images = map[string]*Locked{}
	}
	lock.path = path
	return &lock, nil
}
