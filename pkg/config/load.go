package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strconv"
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

// document is a parsed file, where its fields stand, and what is wrong with them.
type document struct {
	// path is how the file is called in messages.
	path  string
	file  file
	found *problems
	// lines of fields; bad ones have a problem already; strange are those with
	// an unknown field in them.
	lines        map[string]int
	bad, strange map[string]bool
	// expanded counts the values that aliases stand for; see follow.
	expanded, inAlias int
}

// load reads a file and reports every field that is unknown, double or of the
// wrong type; shown is how the file is called in messages.
func load(path, shown string, found *problems) *document {
	doc := newDocument(shown, found)
	text, err := read(path)
	if err != nil {
		found.add(place{text: shown}, "cannot be read: %v", err)
		doc.bad[""] = true
		return doc
	}
	doc.parse(text)
	return doc
}

func newDocument(path string, found *problems) *document {
	return &document{path: path, found: found, lines: map[string]int{}, bad: map[string]bool{}, strange: map[string]bool{}}
}

// read does not trust the size that a file claims to have: pipes claim none.
func read(path string) ([]byte, error) {
	from, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = from.Close() }()
	text, err := io.ReadAll(io.LimitReader(from, maxSize+1))
	if err == nil && len(text) > maxSize {
		err = fmt.Errorf("it has more than %d bytes, too many for a config", maxSize)
	}
	return text, err
}

// parse reads what it can even where something is wrong, so that the values of
// the other fields can be checked as well.
func (d *document) parse(text []byte) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var root yaml.Node
	if err := decoder.Decode(&root); err != nil && !errors.Is(err, io.EOF) {
		d.notYAML(err)
		return
	}
	if len(root.Content) == 0 || root.Content[0].ShortTag() == "!!null" {
		d.wrong("", "is empty; it needs at least:\n%s", example)
		return
	}
	var next yaml.Node
	switch err := decoder.Decode(&next); {
	case errors.Is(err, io.EOF):
	case err != nil:
		d.notYAML(err)
		return
	default:
		d.found.add(d.line(next.Line), "a second document begins; write one, with suites: for several consumers")
		d.bad[""] = true
		return
	}
	d.check(root.Content[0], reflect.TypeFor[file](), "")
	if d.bad[""] {
		return
	}
	if err := root.Decode(&d.file); err != nil {
		d.notYAML(err)
	}
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// notYAML reports what the YAML library says, with its line in our way. Nothing
// else is checked then.
func (d *document) notYAML(err error) {
	message := strings.TrimPrefix(harmless(err), "yaml: ")
	at := place{text: d.path}
	if match := yamlLine.FindStringSubmatch(message); match != nil {
		number, _ := strconv.Atoi(match[1])
		at, message = d.line(number), strings.TrimPrefix(message, match[0])
	}
	d.found.add(at, "is not YAML: %s", message)
	d.bad[""] = true
}

// line is a place that is no field.
func (d *document) line(number int) place {
	return place{text: fmt.Sprintf("%s:%d", d.path, number), line: number}
}

// at returns "e2eimage.yaml:12: images[0].name" for a field; one that is not
// there has the line of what it should be in.
func (d *document) at(field string) place {
	if field == "" {
		return place{text: d.path}
	}
	for path := field; path != ""; path = parent(path) {
		if line, ok := d.lines[path]; ok {
			return place{text: fmt.Sprintf("%s:%d: %s", d.path, line, field), line: line}
		}
	}
	return place{text: fmt.Sprintf("%s: %s", d.path, field)}
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
	if field == "" {
		return key
	}
	return field + "." + key
}

// wrong reports a field, unless it or what it is in was reported already.
func (d *document) wrong(field, format string, args ...any) {
	for path := field; ; path = parent(path) {
		if d.bad[path] {
			return
		}
		if path == "" {
			break
		}
	}
	d.bad[field] = true
	d.found.add(d.at(field), format, args...)
}

// missing reports a field that has to be there, unless a mistyped one beside it
// may have been meant.
func (d *document) missing(field, format string, args ...any) {
	if !d.strange[parent(field)] {
		d.wrong(field, format, args...)
	}
}
