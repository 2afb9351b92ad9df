package freshness_test

import (
	"strings"
	"testing"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/freshness"
)

// The contents in the tables: a is recorded where anything is, the nodes had old under the
// source's name by then, and b is another one. Nodes have a and b where the table says that they have it under the
// source's name; those of the lock "b, loaded" have b under its recorded name.
func content(id string) freshness.Content {
	return freshness.Content{ImageID: "sha256:" + id, Engine: "docker", EngineID: "sha256:engine-" + id}
}

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func aRecord() freshness.Record {
	return freshness.Record{Content: content("a"), Image: "localhost/x:a", Source: "localhost/x:dev", SourceWas: "sha256:old", At: noon}
}

func locks() map[string]freshness.Lock {
	b := freshness.Lock{Content: content("b"), Image: "localhost/x:b", Built: true, Supersedes: []string{"localhost/x:a"}, At: noon.Add(time.Hour)}
	diverged := b
	diverged.Supersedes = []string{"localhost/x:other"}
	return map[string]freshness.Lock{
		"no lock":        {},
		"the lock has a": {Content: content("a"), Image: "localhost/x:a", Built: true, Tagged: true, At: noon},
		"the lock has b": b, "the lock has b, loaded": b,
		"the lock has b of another line": diverged,
	}
}

func hosts() map[string]freshness.Host {
	return map[string]freshness.Host{
		"gone": {}, "silent": {Silent: true}, "a": {Content: content("a")}, "b": {Content: content("b")},
		"c": {Content: content("c")}, "c, pinned": {Content: content("c"), Pinned: true}, "c of another": {Content: content("c"), Suite: "other"},
	}
}

// tables have a row for what the host has under the source's name, and a column for what
// the nodes have under it.
const tables = `
nothing recorded, no lock
             | none      | a         | b         | old       | a and b
gone         | NotLoaded | NotTagged | NotTagged | NotTagged | NotTagged
silent       | NotLoaded | NotTagged | NotTagged | NotTagged | NotTagged
a            | NotLoaded | NotTagged | NotLoaded | NotLoaded | NotLoaded
b            | NotLoaded | NotLoaded | NotTagged | NotLoaded | NotLoaded
c            | NotLoaded | NotLoaded | NotLoaded | NotLoaded | NotLoaded
c, pinned    | NotLoaded | NotLoaded | NotLoaded | NotLoaded | NotLoaded
c of another | Foreign   | Foreign   | Foreign   | Foreign   | Foreign

a recorded, no lock
             | none      | a         | b         | old       | a and b
gone         | Same      | Same      | NotTagged | Same      | NotTagged
silent       | Unknown   | Unknown   | NotTagged | Unknown   | NotTagged
a            | Same      | Same      | Same      | Same      | Same
b            | NotLoaded | NotLoaded | NotTagged | NotLoaded | NotLoaded
c            | NotLoaded | NotLoaded | NotLoaded | NotLoaded | NotLoaded
c, pinned    | NotLoaded | NotLoaded | NotLoaded | NotLoaded | NotLoaded
c of another | Foreign   | Foreign   | Foreign   | Foreign   | Foreign

nothing recorded, the lock has a
             | none      | a         | b         | old       | a and b
gone         | NotLoaded | NotTagged | NotLoaded | NotLoaded | NotTagged
silent       | NotLoaded | NotTagged | NotLoaded | NotLoaded | NotTagged
a            | NotLoaded | NotTagged | NotLoaded | NotLoaded | NotTagged
b            | NotLoaded | NotLoaded | NotLoaded | NotLoaded | NotLoaded
c            | NotLoaded | NotLoaded | NotLoaded | NotLoaded | NotLoaded
c, pinned    | NotLoaded | NotTagged | NotLoaded | NotLoaded | NotTagged
c of another | Foreign   | Foreign   | Foreign   | Foreign   | Foreign

a recorded, the lock has a
             | none      | a         | b         | old       | a and b
gone         | Same      | Same      | Same      | Same      | Same
silent       | Unknown   | Unknown   | Unknown   | Unknown   | Unknown
a            | Same      | Same      | Same      | Same      | Same
b            | NotLoaded | NotLoaded | NotLoaded | NotLoaded | NotLoaded
c            | NotLoaded | NotLoaded | NotLoaded | NotLoaded | NotLoaded
c, pinned    | Same      | Same      | Same      | Same      | Same
c of another | Foreign   | Foreign   | Foreign   | Foreign   | Foreign

a recorded, the lock has b
             | none      | a         | b         | old       | a and b
gone         | NotLoaded | NotLoaded | NotTagged | NotLoaded | NotTagged
silent       | NotLoaded | NotLoaded | NotTagged | NotLoaded | NotTagged
a            | NotLoaded | NotLoaded | NotLoaded | NotLoaded | NotLoaded
b            | NotLoaded | NotLoaded | NotTagged | NotLoaded | NotTagged
c            | NotLoaded | NotLoaded | NotLoaded | NotLoaded | NotLoaded
c, pinned    | NotLoaded | NotLoaded | NotTagged | NotLoaded | NotTagged
c of another | Foreign   | Foreign   | Foreign   | Foreign   | Foreign

a recorded, the lock has b, loaded
             | none      | a         | b         | old       | a and b
gone         | NotTagged | NotTagged | NotTagged | NotTagged | NotTagged
silent       | NotTagged | NotTagged | NotTagged | NotTagged | NotTagged
a            | NotLoaded | NotLoaded | NotLoaded | NotLoaded | NotLoaded
b            | NotTagged | NotTagged | NotTagged | NotTagged | NotTagged
c            | NotLoaded | NotLoaded | NotLoaded | NotLoaded | NotLoaded
c, pinned    | NotTagged | NotTagged | NotTagged | NotTagged | NotTagged
c of another | Foreign   | Foreign   | Foreign   | Foreign   | Foreign

a recorded, the lock has b of another line
             | none      | a         | b         | old       | a and b
gone         | Diverged  | Diverged  | Diverged  | Diverged  | Diverged
silent       | Diverged  | Diverged  | Diverged  | Diverged  | Diverged
a            | Diverged  | Diverged  | Diverged  | Diverged  | Diverged
b            | Diverged  | Diverged  | Diverged  | Diverged  | Diverged
c            | Diverged  | Diverged  | Diverged  | Diverged  | Diverged
c, pinned    | Diverged  | Diverged  | Diverged  | Diverged  | Diverged
c of another | Diverged  | Diverged  | Diverged  | Diverged  | Diverged
`

func TestEveryCombinationHasItsRelation(t *testing.T) {
	t.Parallel()
	for table := range strings.SplitSeq(strings.TrimSpace(tables), "\n\n") {
		lines := strings.Split(table, "\n")
		recorded, locked, _ := strings.Cut(lines[0], ", ")
		for _, line := range lines[2:] {
			row := cells(line)
			for i, column := range cells(lines[1])[1:] {
				t.Run(lines[0]+"; the host has "+row[0]+", the nodes "+column, func(t *testing.T) {
					t.Parallel()
					facts := freshness.Facts{Source: "localhost/x:dev", Lock: known(t, locks(), locked), Host: known(t, hosts(), row[0])}
					if recorded == "a recorded" {
						facts.Record = aRecord()
					}
					facts.Nodes = nodes(column, strings.HasSuffix(locked, ", loaded"))
					if got := freshness.Judge(facts).Relation; string(got) != row[i+1] {
						t.Errorf("it is %s, want %s", got, row[i+1])
					}
				})
			}
		}
	}
}

func cells(line string) []string {
	all := strings.Split(line, "|")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

func known[V any](t *testing.T, all map[string]V, name string) V {
	t.Helper()
	one, ok := all[name]
	if !ok {
		t.Fatalf("the table has %q, which is nothing", name)
	}
	return one
}

func nodes(column string, hasB bool) freshness.Nodes {
	var n freshness.Nodes
	for _, name := range map[string][]string{"none": nil, "a": {"a"}, "b": {"b"}, "old": {"old"}, "a and b": {"a", "b"}}[column] {
		n.Source = append(n.Source, "sha256:"+name)
	}
	n.Has = func(id string) bool {
		for _, one := range n.Source {
			if one == id {
				return true
			}
		}
		return hasB && id == "sha256:b"
	}
	return n
}

func TestWhichCameFirst(t *testing.T) {
	t.Parallel()
	before, after := noon.Add(-time.Minute), noon.Add(time.Minute)
	for _, test := range []struct {
		name string
		lock freshness.Lock
		want freshness.Relation
	}{
		{"new content under a tag that stays comes after what is recorded", freshness.Lock{Image: "localhost/x:a", Tagged: true, Supersedes: []string{"localhost/x:0"}, At: after}, freshness.NotLoaded},
		{"never tagged, it does so whatever the clocks say", freshness.Lock{Image: "localhost/x:a", Supersedes: []string{"localhost/x:0"}, At: before}, freshness.NotLoaded},
		{"tagged before what is recorded under the same tag, it does not", freshness.Lock{Image: "localhost/x:a", Tagged: true, Supersedes: []string{"localhost/x:0"}, At: before}, freshness.Diverged},
		{"a new checkout comes after what was recorded before it was built", freshness.Lock{Image: "localhost/x:b", New: true, At: after}, freshness.NotLoaded},
		{"a new checkout does not come after what was recorded since", freshness.Lock{Image: "localhost/x:b", New: true, At: before}, freshness.Diverged},
		{"loaded since, it has no tag yet and comes after", freshness.Lock{Supersedes: []string{"localhost/x:0"}, At: after}, freshness.NotLoaded},
		{"loaded before, it does not", freshness.Lock{Supersedes: []string{"localhost/x:0"}, At: before}, freshness.Diverged},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.lock.Content = content("b")
			if got := freshness.Judge(freshness.Facts{Record: aRecord(), Lock: test.lock}).Relation; got != test.want {
				t.Errorf("it is %s, want %s", got, test.want)
			}
		})
	}
}

func TestWithoutALock(t *testing.T) {
	t.Parallel()
	only := func(ids ...string) freshness.Nodes {
		return freshness.Nodes{Source: ids, Has: func(string) bool { return true }}
	}
	renamed := aRecord()
	renamed.Source = "localhost/before:dev"
	nothing := aRecord()
	nothing.Source = ""
	for _, test := range []struct {
		name  string
		facts freshness.Facts
		want  freshness.Relation
		keep  bool
	}{
		{"another source with the same content is the same", freshness.Facts{Source: "localhost/x:dev", Record: renamed, Host: freshness.Host{Content: content("a")}}, freshness.Same, true},
		{"another source with the same content on the nodes is the same", freshness.Facts{Source: "localhost/x:dev", Record: renamed, Nodes: only("sha256:a")}, freshness.Same, true},
		{"another source that nobody has was not loaded", freshness.Facts{Source: "localhost/x:dev", Record: renamed}, freshness.NotLoaded, false},
		{"another source with content of before means that", freshness.Facts{Source: "localhost/x:dev", Record: renamed, Nodes: only("sha256:old")}, freshness.NotTagged, false},
		{"without any source nobody can be asked", freshness.Facts{Record: nothing}, freshness.Unknown, true},
		{"the host went back to content of before, and the nodes have it", freshness.Facts{Source: "localhost/x:dev", Record: aRecord(), Host: freshness.Host{Content: content("old")}, Nodes: only("sha256:old")}, freshness.NotTagged, false},
		{"what is newer on the host does not make content of before on the nodes newer", freshness.Facts{Source: "localhost/x:dev", Record: aRecord(), Host: freshness.Host{Content: content("b")}, Nodes: only("sha256:old")}, freshness.NotLoaded, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := freshness.Judge(test.facts)
			if got.Relation != test.want || got.Keep != test.keep {
				t.Errorf("it is %s, keep %t; want %s, keep %t", got.Relation, got.Keep, test.want, test.keep)
			}
		})
	}
}

func TestContentsAreOneByAnyIDThatBothHave(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		a, b freshness.Content
		want bool
	}{
		{"the same image ID under other IDs of the engine", freshness.Content{ImageID: "i", Engine: "docker", EngineID: "1"}, freshness.Content{ImageID: "i", Engine: "docker", EngineID: "2"}, true},
		{"the same ID of the engine, of which one has no image ID", freshness.Content{Engine: "docker", EngineID: "1"}, freshness.Content{ImageID: "i", Engine: "docker", EngineID: "1"}, true},
		{"IDs of two engines say nothing", freshness.Content{Engine: "docker", EngineID: "1"}, freshness.Content{Engine: "podman", EngineID: "1"}, false},
		{"nothing known is nothing", freshness.Content{}, freshness.Content{}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.a.Is(test.b); got != test.want {
				t.Errorf("Is = %t", got)
			}
		})
	}
}
