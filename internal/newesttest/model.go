// Package newesttest says what random orders of steps do, and what must hold after them:
// the steps of suites that build, load, tag and deploy, and a model of which content each
// suite has to run. Tests carry the steps out, on fakes or on a real cluster. It must not
// know the product.
package newesttest

import (
	"slices"
	"strings"
)

// Model knows which content each suite has to run. Contents are told apart by any text.
//
// What is the newest content that any step of a suite has built? A suite has content of its
// own: what its own build, up or adoption made last, or what its load took from the source
// last. Besides, whoever builds under the source's name, replaces the archive or, where this
// host has nothing under the name, imports something into the nodes under it, builds for all
// suites that name this source: past the product there is nothing else to go by. So, of a
// suite's own content and what the source stands for, the one that came later counts.
//
// Where two suites share a source, the build of one takes the name from the other, but it
// is no step of the other. A suite that built (or adopted) its own and still has its lock does
// not go by the name, and has to run its own. One that goes by the name, since it only loads,
// or has lost its lock, cannot be told whether the other's content is meant for it, too: it may
// run either.
//
// Nodes have what a suite built under its recorded name only. What others put there under the
// source's name counts for suites that go by that name.
//
// An archive that takes the place of a build counts for a suite that took its content from
// it, and for one that has nothing of its own. Whether one that appears later is meant to,
// only the next build or load tells.
//
// What was built under a name and lost it before anybody took it further is gone, and
// nobody can be asked to know of it.
type Model struct {
	now  int
	own  []made
	host map[string]made // by source, or archive
	on   map[string]made // by source: what others put on the nodes under it
}

// made is a content and when it came.
type made struct {
	id string
	at int
	// by is the suite whose step made it, nobody for others.
	by int
	// pinned: it is the suite's whatever the source stands for.
	pinned bool
	// archived: it came from an archive that takes the place of a build.
	archived bool
}

const nobody = -1

// NewModel knows so many suites, which have nothing.
func NewModel(suites int) *Model {
	return &Model{own: make([]made, suites), host: map[string]made{}, on: map[string]made{}}
}

// next is a moment later than all before.
func (m *Model) next() int { m.now++; return m.now }

// Built: a step of the suite made it, under the source's name or not.
func (m *Model) Built(suite int, under, id string) {
	m.own[suite] = made{id: id, at: m.next(), by: suite, pinned: true}
	if under != "" {
		m.host[under] = m.own[suite]
	}
}

// Adopted: a step of the suite took it from the archive that takes the place of its build.
func (m *Model) Adopted(suite int, id string) {
	m.own[suite] = made{id: id, at: m.next(), by: suite, pinned: true, archived: true}
}

// BuiltPast: somebody made it under the source's name, past the product. What a suite has
// built and pinned is that suite's, whoever builds it again.
func (m *Model) BuiltPast(under, id string) {
	m.host[under] = made{id: id, at: m.next(), by: slices.IndexFunc(m.own, func(own made) bool {
		return own.pinned && own.id == id
	})}
}

// Imported: others put it on the nodes under the source's name.
func (m *Model) Imported(under, id string) { m.on[under] = made{id: id, at: m.next(), by: nobody} }

// Loaded: the suite took what its source stands for, unless it goes by its own.
func (m *Model) Loaded(suite int, id, onHost, onNodes string, archived bool) {
	if !m.own[suite].pinned && id != "" {
		m.own[suite] = made{id: id, at: m.next(), by: suite, archived: archived}
		m.Carried(onHost, onNodes)
	}
}

// Carried: the nodes have what the host has, which is no newer for that.
func (m *Model) Carried(onHost, onNodes string) { m.on[onNodes] = m.host[onHost] }

// Decided: the user has said which content is right.
func (m *Model) Decided(suite int, id string) {
	m.own[suite] = made{id: id, at: m.next(), by: suite}
}

// Lost: the suite's lock is gone.
func (m *Model) Lost(suite int) { m.own[suite].pinned = false }

// Released: the host has nothing under the source's name any more.
func (m *Model) Released(under string) { delete(m.host, under) }

// Right are the contents that the suite may run, whose source is under one name on the
// host, as an archive perhaps, and under another on the nodes.
func (m *Model) Right(suite int, onHost, onNodes string) []string {
	own := m.own[suite]
	came, has := m.host[onHost]
	if !has && !own.pinned {
		came = m.on[onNodes]
	}
	switch {
	case own.id == "":
		return []string{came.id}
	case came.id == "" || came.by == suite || came.by != nobody && own.pinned:
		return []string{own.id}
	case came.by != nobody:
		return []string{own.id, came.id}
	case came.at > own.at:
		return []string{came.id}
	}
	return []string{own.id}
}

// Own is the content that the suite made or took last, "" for none.
func (m *Model) Own(suite int) string { return m.own[suite].id }

// OnHost is what this host has under a source's name, or as an archive, "" for nothing.
func (m *Model) OnHost(under string) string { return m.host[under].id }

// Archived tells whether the suite's content came from an archive in place of a build, or
// whether it has none yet, so that it would.
func (m *Model) Archived(suite int) bool { return m.own[suite].archived || m.own[suite].id == "" }

// Told tells whether words of a command say that something could not be known.
func Told(words string) bool {
	words = strings.Join(strings.Fields(words), " ")
	return strings.Contains(words, "cannot tell whether") || strings.Contains(words, "is not known")
}
