package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxExpanded bounds the values that aliases of a file stand for.
const maxExpanded = 10000

// check compares a node with the type that it is for, noting lines as it goes.
// It goes no deeper than the types do. It tells whether the node can be decoded;
// parts that cannot are taken out.
func (d *document) check(node *yaml.Node, want reflect.Type, field string) bool {
	d.lines[field] = node.Line
	node, leave, ok := d.follow(node)
	if !ok {
		return false
	}
	defer leave()
	for want.Kind() == reflect.Pointer {
		want = want.Elem()
	}
	if node.ShortTag() == "!!null" {
		return true
	}
	if want == reflect.TypeFor[duration]() {
		if err := new(duration).UnmarshalYAML(node); err != nil {
			d.wrong(field, "%v", err)
			return false
		}
		return true
	}
	switch want.Kind() {
	case reflect.Struct, reflect.Map:
		if !d.expect(node, yaml.MappingNode, "fields", field) {
			return false
		}
		d.checkPairs(node, want, field, nil)
	case reflect.Slice:
		if !d.expect(node, yaml.SequenceNode, "a list", field) {
			return false
		}
		for i, item := range node.Content {
			if !d.check(item, want.Elem(), fmt.Sprintf("%s[%d]", field, i)) {
				node.Content[i] = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: item.Line}
			}
		}
	default:
		return d.expect(node, yaml.ScalarNode, "one value", field) && d.checkScalar(node, want, field)
	}
	return true
}

// follow returns what an alias stands for. Few letters can stand for a great
// many values, so these are counted.
func (d *document) follow(node *yaml.Node) (target *yaml.Node, leave func(), ok bool) {
	leave = func() {}
	if node.Kind == yaml.AliasNode {
		node = node.Alias
		d.inAlias++
		leave = func() { d.inAlias-- }
	}
	if d.inAlias > 0 {
		d.expanded++
	}
	if d.expanded > maxExpanded {
		d.wrong("", "has aliases that stand for more than %d values; write fewer", maxExpanded)
		leave()
		return nil, nil, false
	}
	return node, leave, true
}

func (d *document) expect(node *yaml.Node, want yaml.Kind, words, field string) bool {
	if node.Kind == want {
		return true
	}
	is := "one value"
	switch node.Kind {
	case yaml.MappingNode:
		is = "fields"
	case yaml.SequenceNode:
		is = "a list"
	}
	if field == "" {
		d.wrong(field, "is %s, but must be %s like this:\n%s", is, words, example)
	} else {
		d.wrong(field, "must be %s, is %s", words, is)
	}
	return false
}

// checkPairs checks the fields of a struct or the keys of a map; inside are the
// nodes that are being merged.
func (d *document) checkPairs(node *yaml.Node, want reflect.Type, field string, inside []*yaml.Node) {
	seen := map[string]int{}
	var kept []*yaml.Node
	var merged *yaml.Node
	pairs := node.Content
	for i := 0; i+1 < len(pairs); i += 2 {
		key, value := pairs[i], pairs[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!null" {
			d.found.add(d.line(key.Line), "a key must be a word")
			d.strange[field] = true
			continue
		}
		path := child(field, key.Value)
		if first, ok := seen[key.Value]; ok {
			at := d.line(pairs[i].Line)
			at.text += ": " + path
			d.found.add(at, "is given twice, first in line %d", first)
			d.bad[path] = true
			continue
		}
		seen[key.Value] = pairs[i].Line
		if key.ShortTag() == "!!merge" {
			merged, kept = value, append(kept, key, value)
			continue
		}
		ok := d.checkPair(pairs[i].Line, key.Value, value, want, field)
		d.lines[path] = pairs[i].Line
		if ok {
			kept = append(kept, key, value)
		}
	}
	node.Content = kept
	if merged != nil && !d.checkMerge(merged, want, field, seen, append(inside, node)) {
		node.Content = slices.DeleteFunc(kept, func(n *yaml.Node) bool { return n == merged || n.ShortTag() == "!!merge" })
	}
}

func (d *document) checkPair(line int, key string, value *yaml.Node, want reflect.Type, field string) bool {
	path := child(field, key)
	if want.Kind() == reflect.Map {
		return d.check(value, want.Elem(), path)
	}
	var known []string
	for f := range want.Fields() {
		name := f.Tag.Get("yaml")
		if name == key {
			return d.check(value, f.Type, path)
		}
		known = append(known, name)
	}
	slices.Sort(known)
	d.lines[path] = line
	d.strange[field] = true
	suggestion := didYouMean(key, known)
	if suggestion == "" {
		suggestion = "; known are " + strings.Join(known, ", ")
	}
	d.wrong(path, "unknown field%s", suggestion)
	return false
}

// checkMerge checks what << brings in: fields like those that it is beside.
// Lines of fields that are written out count more than merged ones.
func (d *document) checkMerge(value *yaml.Node, want reflect.Type, field string, written map[string]int,
	inside []*yaml.Node,
) bool {
	line := value.Line
	value, leave, ok := d.follow(value)
	if !ok {
		return false
	}
	defer leave()
	switch {
	case slices.Contains(inside, value):
		d.found.add(d.line(line), "<< merges fields into themselves")
		return false
	case value.Kind == yaml.MappingNode:
		d.checkPairs(value, want, field, inside)
		for key, line := range written {
			d.lines[child(field, key)] = line
		}
		return true
	case value.Kind == yaml.SequenceNode && !slices.Contains(inside, value):
		for _, one := range slices.Backward(value.Content) {
			if !d.checkMerge(one, want, field, written, append(inside, value)) {
				return false
			}
		}
		return true
	}
	d.found.add(d.line(line), "<< must be an alias of fields, or a list of such aliases")
	return false
}

func (d *document) checkScalar(node *yaml.Node, want reflect.Type, field string) bool {
	switch want.Kind() {
	case reflect.String:
		switch node.ShortTag() {
		case "!!str", "!!int", "!!float":
			return true
		}
		d.wrong(field, "%q is not text; put it in quotes", node.Value)
	case reflect.Bool:
		var yes bool
		if node.ShortTag() == "!!bool" && node.Decode(&yes) == nil {
			return true
		}
		d.wrong(field, "%q is neither true nor false", node.Value)
	case reflect.Int:
		var number int
		if err := node.Decode(&number); err == nil && number >= 0 {
			return true
		}
		d.wrong(field, "%q is no number from 0 on", node.Value)
	}
	return false
}
