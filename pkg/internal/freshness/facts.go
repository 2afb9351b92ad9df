package freshness

import (
	"slices"
	"time"
)

// Content is an image as somebody knows it; one without IDs is unknown.
type Content struct {
	// ImageID is the config digest, sha256:<64 hex>, "" where it is not known.
	ImageID string
	// Engine that has it and what that calls its ID; of an archive, only the digest of the
	// file as its ID. "" where it is not known.
	Engine, EngineID string
}

// Known tells whether anything is known of it.
func (c Content) Known() bool { return c.ImageID != "" || c.EngineID != "" }

// Is tells whether both are known to be one image.
func (c Content) Is(other Content) bool {
	if c.EngineID != "" && c.EngineID == other.EngineID && c.Engine == other.Engine {
		return true
	}
	return c.ImageID != "" && c.ImageID == other.ImageID
}

// Facts are what is known of one image of a suite.
type Facts struct {
	// Source that the suite names by now, as it is written there; "" for none.
	Source string
	Record Record
	Lock   Lock
	Host   Host
	Nodes  Nodes
}

// Record is what the cluster has recorded; the zero Record is none.
type Record struct {
	Content
	// Image is the recorded image, repository:tag.
	Image string
	// Source that it came from, as it was written then.
	Source string
	// SourceWas is the image ID that the nodes had under the source's name when it was
	// recorded, "" for none.
	SourceWas string
	At        time.Time
}

// Lock is what the host's lock has pinned; the zero Lock is none. An entry about another
// source than the suite names is none.
type Lock struct {
	Content
	// Image is the recorded image, "" while no tag is decided.
	Image string
	// Built is set where the content was built or adopted: the nodes get it under its
	// recorded name only. Else it was loaded under its source's name.
	Built bool
	// Tagged is set once it was recorded somewhere.
	Tagged bool
	// Supersedes are the recorded images that the entry was before.
	Supersedes []string
	// New is set where the entry has no history at all, as in a new checkout.
	New bool
	// At is when something was done last with it.
	At time.Time
}

// Host is what the source stands for on this host.
type Host struct {
	Content
	// Silent is set where nobody can say what the source stands for: an engine that does
	// not answer, a record of another host, standard input. A host that answered and has
	// nothing is not silent.
	Silent bool
	// Suite is another suite that has pinned the content, "" for none.
	Suite string
	// Pinned is set where the content has a recorded name: whose suite it is has pinned
	// it, and does not need the source's name.
	Pinned bool
}

// Nodes are what the nodes have.
type Nodes struct {
	// Source are the image IDs that stand for the source's name there, each once.
	Source []string
	// Has tells whether every node has an image ID, under whatever name.
	Has func(imageID string) bool
}

func (n Nodes) has(c Content) bool { return c.ImageID != "" && n.Has != nil && n.Has(c.ImageID) }

// newer are the image IDs under the source's name that came after the record.
func (n Nodes) newer(r Record) []string {
	return slices.DeleteFunc(slices.Clone(n.Source), func(id string) bool { return id == r.ImageID || id == r.SourceWas })
}
