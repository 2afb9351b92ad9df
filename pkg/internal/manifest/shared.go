package manifest

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// change is what becomes of a node. A node with an anchor stands in several places; a
// change of it is a change of all of them.
type change struct {
	// replace is the new value of a scalar.
	replace string
	// insert are new entries of a mapping, one a line.
	insert string
	// value takes the place of a value that is empty.
	value string
}

// maxVisits bounds the values that aliases make of a document.
const maxVisits = 1 << 18

// count tells whether to go on: aliases of aliases may be values without end.
func (r *rendering) count(node *yaml.Node) bool {
	if !r.shared {
		return true
	}
	if r.visited++; r.visited == maxVisits {
		r.problem(node, "its aliases make more than %d values of it", maxVisits)
	}
	return r.visited < maxVisits
}

// enter notes that a node stands in one more place.
func (r *rendering) enter(node *yaml.Node) bool {
	if r.shared {
		r.visits[node]++
	}
	return r.count(node)
}

// want notes a change in one of the places where a node stands.
func (r *rendering) want(node *yaml.Node, c change) {
	if r.changes[node] == nil {
		r.changes[node] = map[change]int{}
		r.changed = append(r.changed, node)
	}
	r.changes[node][c]++
}

// settle turns the changes into edits, where all places in which a node stands want the
// same.
func (r *rendering) settle() {
	for _, node := range r.changed {
		var only change
		for only = range r.changes[node] {
		}
		all := !r.shared || r.changes[node][only] == r.visits[node]
		switch {
		case len(r.changes[node]) > 1 || !all:
			r.problem(node,
				"an anchor puts this text in several places, where it would have to differ%s; write it out in each of them",
				differing(r.changes[node]))
		case only.replace != "" && (node.Kind != yaml.AliasNode || only.replace != r.settled(node.Alias)):
			r.replace(node, only.replace)
		case only.insert != "":
			r.insert(node, strings.Split(only.insert, "\n"))
		case only.value != "":
			r.put(node, only.value)
		}
	}
	// An alias whose anchor is changed keeps what it stood for.
	for _, alias := range r.aliases {
		if r.changes[alias] == nil && r.settled(alias.Alias) != r.filled(alias.Alias.Value) {
			r.replace(alias, r.filled(alias.Alias.Value))
		}
	}
}

// settled is the value of a scalar as it will be.
func (r *rendering) settled(node *yaml.Node) string {
	for c := range r.changes[node] {
		if c.replace != "" {
			return c.replace
		}
	}
	return r.filled(node.Value)
}

// differing lists what a node would become.
func differing(changes map[change]int) string {
	var texts []string
	for c := range changes {
		texts = append(texts, strings.ReplaceAll(c.replace+c.insert+c.value, "\n", ", "))
	}
	slices.Sort(texts)
	return " (" + strings.Join(texts, "; or ") + ")"
}

// pair is a field of a mapping.
type pair struct{ key, value *yaml.Node }

// fields are what kubectl reads a mapping to have: its own fields and those that are merged
// into it, from the mappings that it returns, too. Of fields with one key the last one
// counts, wherever it comes from.
func (r *rendering) fields(mapping *yaml.Node) (found []pair, merged []*yaml.Node) {
	at := map[string]int{}
	set := func(p pair) {
		key := followed(p.key).Value
		if i, is := at[key]; is {
			found[i] = p
			return
		}
		at[key] = len(found)
		found = append(found, p)
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		if key.Tag != "!!merge" {
			set(pair{key, value})
			continue
		}
		among := []*yaml.Node{value}
		if list := followed(value); list.Kind == yaml.SequenceNode {
			// The first one counts.
			among = slices.Clone(list.Content)
			slices.Reverse(among)
		}
		for _, one := range among {
			if one = followed(one); one.Kind != yaml.MappingNode || !r.count(one) || r.within[one] {
				continue
			}
			r.within[one] = true
			inner, deeper := r.fields(one)
			delete(r.within, one)
			for _, p := range inner {
				set(p)
			}
			merged = append(append(merged, one), deeper...)
		}
	}
	return found, merged
}

// field is the value of a mapping's key, as it is written there: an alias, perhaps.
func (r *rendering) field(node *yaml.Node, key string) *yaml.Node {
	if node = followed(node); node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	found, _ := r.fields(node)
	for _, p := range found {
		if followed(p.key).Value == key {
			return p.value
		}
	}
	return nil
}

func followed(node *yaml.Node) *yaml.Node {
	if node != nil && node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}
