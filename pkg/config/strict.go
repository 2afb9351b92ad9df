package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxSize of a config file: more is certainly not one.
const maxSize = 1 << 20

// example is what a file looks like at least.
const example = `apiVersion: e2eimage.dev/v1alpha1
kind: Config
images:
- name: datastorage
  source: localhost/datastorage:dev`

// document is a parsed file and where its fields stand.
type document struct {
	path  string
	file  file
	lines map[string]int
}

// at returns "e2eimage.yaml:12: images[0].name" for a field.
func (d *document) at(field string) string {
	for path := field; ; {
		if line, ok := d.lines[path]; ok {
			return fmt.Sprintf("%s:%d: %s", d.path, line, field)
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return fmt.Sprintf("%s: %s", d.path, field)
		}
		path = path[:cut]
	}
}

// load reads a file and reports every field that is unknown, double or of the
// wrong type; shown is how the file is called in messages.
func load(path, shown string, found *problems) *document {
	doc := &document{path: shown, lines: map[string]int{}}
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxSize {
		err = fmt.Errorf("%d bytes are too many for a config", info.Size())
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		found.add(shown, "cannot be read: %v", err)
		return doc
	}
	doc.parse(text, found)
	return doc
}

func (d *document) parse(text []byte, found *problems) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var root yaml.Node
	switch err := decoder.Decode(&root); {
	case errors.Is(err, io.EOF):
		found.add(d.path, "is empty; it needs at least:\n%s", example)
		return
	case err != nil:
		found.add(d.path, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		return
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		found.add(d.path, "has more than one document; write one, with suites: for several consumers")
		return
	}
	before := len(found.all)
	d.check(root.Content[0], reflect.TypeFor[file](), "", found)
	if len(found.all) > before {
		return
	}
	if err := root.Decode(&d.file); err != nil {
		found.add(d.path, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
}

// check compares a node with the type that it is for, noting lines as it goes.
// It goes no deeper than the types do, so that aliases cannot blow it up.
func (d *document) check(node *yaml.Node, want reflect.Type, field string, found *problems) {
	d.lines[field] = node.Line
	for want.Kind() == reflect.Pointer {
		want = want.Elem()
	}
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Tag == "!!null" {
		return
	}
	if want == reflect.TypeFor[duration]() {
		if err := new(duration).UnmarshalYAML(node); err != nil {
			found.add(d.at(field), "%v", err)
		}
		return
	}
	switch want.Kind() {
	case reflect.Struct:
		if d.expect(node, yaml.MappingNode, "fields", field, found) {
			d.checkFields(node, want, field, found)
		}
	case reflect.Map:
		if d.expect(node, yaml.MappingNode, "keys with values", field, found) {
			d.checkKeys(node, field, found, func(_ *yaml.Node, value *yaml.Node, path string) {
				d.check(value, want.Elem(), path, found)
			})
		}
	case reflect.Slice:
		if d.expect(node, yaml.SequenceNode, "a list", field, found) {
			for i, item := range node.Content {
				d.check(item, want.Elem(), fmt.Sprintf("%s[%d]", field, i), found)
			}
		}
	default:
		if d.expect(node, yaml.ScalarNode, "one value", field, found) {
			d.checkScalar(node, want, field, found)
		}
	}
}

func (d *document) expect(node *yaml.Node, want yaml.Kind, words, field string, found *problems) bool {
	if node.Kind == want {
		return true
	}
	if field == "" {
		found.add(d.path, "must have fields like this:\n%s", example)
	} else {
		found.add(d.at(field), "must be %s", words)
	}
	return false
}

func (d *document) checkFields(node *yaml.Node, want reflect.Type, field string, found *problems) {
	fields := map[string]reflect.Type{}
	var known []string
	for i := range want.NumField() {
		name := want.Field(i).Tag.Get("yaml")
		fields[name] = want.Field(i).Type
		known = append(known, name)
	}
	slices.Sort(known)
	d.checkKeys(node, field, found, func(key, value *yaml.Node, path string) {
		if typ, ok := fields[key.Value]; ok {
			d.check(value, typ, path, found)
			return
		}
		d.lines[path] = key.Line
		suggestion := didYouMean(key.Value, known)
		if suggestion == "" {
			suggestion = "; known are " + strings.Join(known, ", ")
		}
		found.add(d.at(path), "unknown field%s", suggestion)
	})
}

func (d *document) checkKeys(node *yaml.Node, field string, found *problems, visit func(key, value *yaml.Node, path string)) {
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Tag == "!!merge" {
			continue
		}
		path := strings.TrimPrefix(field+"."+key.Value, ".")
		if first, ok := seen[key.Value]; ok {
			found.add(fmt.Sprintf("%s:%d: %s", d.path, key.Line, path), "is given twice, first in line %d", first)
			continue
		}
		seen[key.Value] = key.Line
		visit(key, value, path)
		d.lines[path] = key.Line
	}
}

func (d *document) checkScalar(node *yaml.Node, want reflect.Type, field string, found *problems) {
	switch want.Kind() {
	case reflect.String:
		if node.Tag == "!!bool" || node.Tag == "!!timestamp" {
			found.add(d.at(field), "%s is not text; put it in quotes", node.Value)
		}
	case reflect.Bool:
		if node.Tag != "!!bool" {
			found.add(d.at(field), "%q is neither true nor false", node.Value)
		}
	case reflect.Int:
		var number int
		if err := node.Decode(&number); err != nil || number < 0 {
			found.add(d.at(field), "%q is no number from 0 on", node.Value)
		}
	}
}
