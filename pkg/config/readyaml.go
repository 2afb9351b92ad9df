package config

import (
	"cmp"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxValues bounds the values of a file: few letters can stand for a great many.
const maxValues = 20_000

// document is a file that was read, and where its fields stand.
type document struct {
	file file
	// path is where the file is, "" for none; shown is how it is called in messages.
	path, shown string
	// dir is what its paths are relative to.
	dir string
	// lines of the fields.
	lines map[string]int
	// null are fields that are as if they were not written; unread are those that could not
	// be read, or have something in them that could not.
	null, unread map[string]bool
	found        *problems
}

func newDocument(path, shown string, found *problems) *document {
	return &document{
		path: path, shown: shown, dir: filepath.Dir(path), found: found,
		lines: map[string]int{}, null: map[string]bool{}, unread: map[string]bool{},
	}
}

// yamlReader fills a typed struct from nodes of the YAML library. The library's own way,
// KnownFields, does not serve: it says the line of a mistake but not the field, gives a
// mapping up where a key is in it twice, and takes true and dates for text. What it
// does well, single values and anchors, is left to it.
type yamlReader struct {
	*document
	values int
	// reported nodes: aliases do not make one mistake several.
	reported map[*yaml.Node]bool
	// open mappings are those that are being read.
	open map[*yaml.Node]bool
}

// read goes no deeper than the types do, and on after a mistake. It tells whether the
// whole of the file was looked at.
func (r *yamlReader) read(top *yaml.Node) bool {
	r.reported, r.open = map[*yaml.Node]bool{}, map[*yaml.Node]bool{}
	r.mapping(top, reflect.ValueOf(&r.file).Elem(), "", map[string]bool{})
	if r.values > maxValues {
		r.found.add(r.at(""), "has more than %d values, where an alias counts as all that it stands for; write fewer",
			maxValues)
	}
	return r.values <= maxValues
}

// value reads a field, an element of a list, or what is under a key.
func (r *yamlReader) value(node *yaml.Node, into reflect.Value, field string) {
	if r.values++; r.values > maxValues {
		return
	}
	line, node := node.Line, follow(node)
	into.SetZero()
	if isNull(node) {
		return
	}
	if into.Kind() == reflect.Pointer {
		into.Set(reflect.New(into.Type().Elem()))
		into = into.Elem()
	}
	want := yaml.ScalarNode
	switch into.Kind() {
	case reflect.Struct, reflect.Map:
		want = yaml.MappingNode
	case reflect.Slice:
		want = yaml.SequenceNode
	}
	switch {
	case node.Kind != want:
		r.report(node, field, line, field, "must be %s, is %s", kindWord(want), kindWord(node.Kind))
	case want == yaml.MappingNode:
		if into.Kind() == reflect.Map {
			into.Set(reflect.MakeMap(into.Type()))
		}
		r.mapping(node, into, field, map[string]bool{})
	case want == yaml.SequenceNode:
		into.Set(reflect.MakeSlice(into.Type(), len(node.Content), len(node.Content)))
		for i, element := range node.Content {
			path := fmt.Sprintf("%s[%d]", field, i)
			if r.lines[path] = element.Line; isNull(element) {
				r.report(element, path, element.Line, path, "is empty")
			}
			r.value(element, into.Index(i), path)
		}
	default:
		if node.ShortTag() == "!!bool" && helmField.MatchString(field) {
			into.SetString(strings.ToLower(node.Value))
		} else if mistake := readScalar(node, into); mistake != "" {
			r.report(node, field, line, field, "%s %s", quote(node.Value), mistake)
		}
	}
}

// helmField is a value of a chart: Helm tells true from "true".
var helmField = regexp.MustCompile(`^(suites\[\d+\]\.)?helm\.`)

// mapping reads the fields of a struct or the entries of a map, except those that are
// taken: what is written beside << counts, not what that brings in.
func (r *yamlReader) mapping(node *yaml.Node, into reflect.Value, field string, taken map[string]bool) {
	r.open[node] = true
	defer delete(r.open, node)
	var merged *yaml.Node
	lines := map[string]int{}
	for pair := range slices.Chunk(node.Content, 2) {
		key, value, line := follow(pair[0]), pair[1], pair[0].Line
		path := child(field, key.Value)
		first, twice := lines[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || isNull(key):
			r.report(pair[0], field, line, field, "a key must be a word")
			continue
		case twice:
			r.report(pair[0], path, line, path, "is given twice, first in line %d", first)
			continue
		case key.ShortTag() == "!!merge":
			merged = value
		case !taken[key.Value]:
			taken[key.Value] = true
			r.lines[path], r.null[path] = line, isNull(value)
			r.entry(pair[0], value, into, field)
		}
		lines[key.Value] = line
	}
	if merged != nil {
		r.merge(merged, into, field, taken)
	}
}

// merge reads what << brings in: fields like those that it is beside.
func (r *yamlReader) merge(node *yaml.Node, into reflect.Value, field string, taken map[string]bool) {
	path, several := child(field, "<<"), []*yaml.Node{node}
	if target := follow(node); target.Kind == yaml.SequenceNode {
		several = target.Content
	}
	for _, one := range several {
		target := follow(one)
		switch r.values++; {
		case r.values > maxValues:
		case target.Kind != yaml.MappingNode:
			r.report(one, path, one.Line, path, "must be an alias of fields, or a list of such aliases")
		case r.open[target]:
			r.report(one, path, one.Line, path, "merges fields into themselves")
		default:
			r.mapping(target, into, field, taken)
		}
	}
}

// entry reads one field of a struct or one entry of a map.
func (r *yamlReader) entry(key, value *yaml.Node, into reflect.Value, field string) {
	name := follow(key).Value
	path := child(field, name)
	if into.Kind() == reflect.Map {
		element := reflect.New(into.Type().Elem()).Elem()
		r.value(value, element, path)
		into.SetMapIndex(reflect.ValueOf(name), element)
		return
	}
	var known []string
	for _, f := range reflect.VisibleFields(into.Type()) {
		tag := f.Tag.Get("yaml")
		if tag == "" {
			continue
		}
		if known = append(known, tag); tag == name {
			r.value(value, into.FieldByIndex(f.Index), path)
			return
		}
	}
	suggestion := didYouMean(name, known)
	if suggestion == "" {
		slices.Sort(known)
		suggestion = "; known are " + strings.Join(known, ", ")
	}
	r.report(key, field, key.Line, path, "unknown field%s", suggestion)
}

// readScalar leaves one value to the library, but takes nothing for text that is more than
// that to it, and nothing negative. It returns what is wrong, "" for nothing.
func readScalar(node *yaml.Node, into reflect.Value) string {
	tags, mistake := []string{"!!str", "!!int", "!!float"}, "is not text; put it in quotes"
	duration := into.Type() == reflect.TypeFor[time.Duration]()
	switch {
	case duration:
		tags, mistake = []string{"!!str"}, "is no duration; write 120s or 5m"
	case into.Kind() == reflect.Bool:
		tags, mistake = []string{"!!bool"}, "is neither true nor false"
	case into.Kind() == reflect.Int:
		tags, mistake = []string{"!!int"}, "is no whole number from 0 on"
	}
	if err := node.Decode(into.Addr().Interface()); err != nil || !slices.Contains(tags, node.ShortTag()) ||
		into.CanInt() && into.Int() < 0 || duration && into.IsZero() {
		into.SetZero()
		return mistake
	}
	return ""
}

// report tells a mistake of a node once. Because of it unread is not read, or not whole.
func (r *yamlReader) report(node *yaml.Node, unread string, line int, path, format string, args ...any) {
	r.unread[unread] = true
	if !r.reported[node] {
		r.reported[node] = true
		r.found.add(r.atLine(line, path), format, args...)
	}
}

func follow(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func isNull(node *yaml.Node) bool { return follow(node).ShortTag() == "!!null" }

func kindWord(kind yaml.Kind) string {
	words := map[yaml.Kind]string{yaml.MappingNode: "fields", yaml.SequenceNode: "a list"}
	return cmp.Or(words[kind], "one value")
}

// at returns "e2eimage.yaml:12: images[0].name" for a field; one that is not there has the
// line of what it should be in.
func (d *document) at(field string) place {
	for path := field; path != ""; path = parent(path) {
		if line, ok := d.lines[path]; ok {
			return d.atLine(line, field)
		}
	}
	return d.atLine(0, field)
}

// atLine is a place that may be no field, or have no line.
func (d *document) atLine(line int, field string) place {
	where := d.shown
	if line > 0 {
		where += fmt.Sprintf(":%d", line)
	}
	if field != "" {
		where += ": " + field
	}
	return place{where, line}
}

func (d *document) written(field string) bool {
	_, ok := d.lines[field]
	return ok && !d.null[field]
}

// parent of images[0].name is images[0], then images, then "".
func parent(field string) string {
	return field[:max(0, strings.LastIndexAny(field, ".["))]
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_./<-]+$`)

// child is the field under key; a key that could garble a message is quoted.
func child(field, key string) string {
	if !plainKey.MatchString(key) {
		key = strconv.Quote(key)
	}
	return strings.TrimPrefix(field+"."+key, ".")
}
