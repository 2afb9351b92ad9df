package freshness

import "slices"

// Relation is how what is recorded stands to the newest content that is known.
type Relation string

// Relations.
const (
	// Same: the newest content known is what is recorded.
	Same Relation = "Same"
	// NotLoaded: there is newer content that the nodes do not have.
	NotLoaded Relation = "NotLoaded"
	// NotTagged: the nodes have newer content than what is recorded.
	NotTagged Relation = "NotTagged"
	// Foreign: the source's name stands for another suite's content.
	Foreign Relation = "Foreign"
	// Diverged: lock and record differ, and neither came after the other.
	Diverged Relation = "Diverged"
	// Unknown: nobody can be asked.
	Unknown Relation = "Unknown"
)

// By is whose word decided.
type By string

// Who can know of newer content.
const (
	ByLock  By = "lock"
	ByHost  By = "host"
	ByNodes By = "nodes"
	// BySuite: it names another source by now.
	BySuite By = "suite"
)

// Finding is what the rule says of one image.
type Finding struct {
	Relation Relation
	By       By
	// Newest content that is known; unknown where nobody says it.
	Newest Content
	// Keep is set where nodes have nothing newer than what is recorded.
	Keep bool
	// HostSilent is set where the host might have newer content, and cannot be asked.
	HostSilent bool
}

// Judge compares what is recorded of an image with what lock, host and nodes say.
func Judge(f Facts) Finding {
	if f.Lock.Known() {
		return withLock(f)
	}
	return withoutLock(f)
}

// withLock goes by the lock, which says which content the suite means, and what that came
// after. The host can have newer content only under the source's name.
func withLock(f Facts) Finding {
	found := lockAndRecord(f)
	if found.Relation == Diverged {
		return found
	}
	switch {
	case !f.Host.Known() || f.Host.Is(f.Lock.Content):
	case f.Lock.Built && f.Host.Pinned:
		// Another suite's build took the name: both are pinned, and nobody goes by it.
	case f.Host.Suite != "":
		return Finding{Relation: Foreign, By: ByHost, Newest: f.Host.Content}
	default:
		return Finding{Relation: NotLoaded, By: ByHost, Newest: f.Host.Content}
	}
	found.HostSilent = f.Host.Silent
	if found.Relation == Same && found.HostSilent {
		found.Relation = Unknown
	}
	return found
}

func lockAndRecord(f Facts) Finding {
	switch {
	case f.Record.Known() && f.Lock.Is(f.Record.Content):
		return Finding{Relation: Same, By: ByLock, Newest: f.Lock.Content, Keep: true}
	case f.Record.Known() && !f.Lock.after(f.Record):
		return Finding{Relation: Diverged, By: ByLock, Newest: f.Lock.Content}
	case f.Nodes.has(f.Lock.Content):
		return Finding{Relation: NotTagged, By: ByLock, Newest: f.Lock.Content}
	}
	return Finding{Relation: NotLoaded, By: ByLock, Newest: f.Lock.Content}
}

// after tells whether what the lock has came after what is recorded.
func (l Lock) after(r Record) bool {
	later := !l.At.Before(r.At)
	switch {
	case slices.Contains(l.Supersedes, r.Image):
		return true
	case l.Image == r.Image:
		// New content under a tag that stays.
		return !l.Tagged || later
	}
	return later && (l.New || l.Image == "")
}

// withoutLock goes by the source's name: what it stands for on the host, else what the
// nodes have under it.
func withoutLock(f Facts) Finding {
	renamed := f.Source != "" && f.Record.Source != "" && f.Source != f.Record.Source
	newer := f.Nodes.newer(f.Record)
	if !f.Record.Known() || renamed {
		newer = f.Nodes.Source
	}
	only := Content{}
	if len(newer) == 1 {
		only.ImageID = newer[0]
	}
	host := f.Host.Content
	switch {
	case host.Known() && f.Record.Known() && host.Is(f.Record.Content):
		return Finding{Relation: Same, By: ByHost, Newest: host, Keep: true}
	case host.Known() && f.Host.Suite != "":
		return Finding{Relation: Foreign, By: ByHost, Newest: host}
	case host.Known() && len(f.Nodes.Source) == 1 && host.Is(Content{ImageID: f.Nodes.Source[0]}):
		return Finding{Relation: NotTagged, By: ByHost, Newest: host}
	case host.Known():
		return Finding{Relation: NotLoaded, By: ByHost, Newest: host, Keep: f.Record.Known() && len(newer) == 0}
	case renamed && slices.Equal(f.Nodes.Source, []string{f.Record.ImageID}):
		// The same content under another name.
	case len(newer) > 0:
		return Finding{Relation: NotTagged, By: ByNodes, Newest: only, HostSilent: f.Host.Silent}
	case renamed, !f.Record.Known():
		return Finding{Relation: NotLoaded, By: BySuite, HostSilent: f.Host.Silent}
	}
	if f.Host.Silent || f.Source == "" && f.Record.Source == "" {
		return Finding{Relation: Unknown, Newest: f.Record.Content, Keep: true, HostSilent: true}
	}
	return Finding{Relation: Same, By: ByNodes, Newest: f.Record.Content, Keep: true}
}
