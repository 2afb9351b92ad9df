package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// fileName is what a config is called.
const fileName = "e2eimage.yaml"

// maxSize of a config file: more is certainly not one.
const maxSize = 1 << 20

// example is what a file looks like at least.
const example = `apiVersion: e2eimage.dev/v1alpha1
kind: Config
images:
- name: datastorage
  source: localhost/datastorage:dev`

// read returns the config file that a command works on: the one that was asked for, else
// the nearest. It is an empty document where there is none, and where so much is wrong with
// it that its values cannot be checked.
func read(asked string, askedBy place, dir string, found *problems) *document {
	path, shown := absolute(dir, asked), asked
	if asked == "" {
		path = nearestFile(dir)
		if path == "" {
			return &document{}
		}
		shown = path
		if relative, err := filepath.Rel(dir, path); err == nil {
			shown = relative
		}
	} else if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		found.add(askedBy, "no file %s", path)
		return &document{}
	}
	d := newDocument(path, shown, found)
	if text, err := readBounded(path); err != nil {
		found.add(d.at(""), "cannot be read: %v", err)
	} else if d.parse(text) {
		return d
	}
	return &document{}
}

// nearestFile is in dir or above it, but not beyond the root of the repository. Without
// one, folders above dir are none of our business.
func nearestFile(dir string) string {
	folder, repository := above(dir, fileName), cmp.Or(above(dir, ".git"), dir)
	if folder == "" || len(folder) < len(repository) {
		return ""
	}
	return filepath.Join(folder, fileName)
}

// above returns the first folder from dir upwards that has the file, "" for none.
func above(dir, file string) string {
	for {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
		dir = filepath.Dir(dir)
	}
}

// readBounded does not trust the size that a file claims to have: pipes claim none.
func readBounded(path string) ([]byte, error) {
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

// parse reads what it can even where something is wrong, so that the values of the other
// fields can be checked as well. It tells whether they can be.
func (d *document) parse(text []byte) bool {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var root, next yaml.Node
	if err := decoder.Decode(&root); err != nil && !errors.Is(err, io.EOF) {
		return d.notYAML(err)
	}
	if len(root.Content) == 0 || isNull(root.Content[0]) {
		d.found.add(d.at(""), "is empty; it needs at least:\n%s", example)
		return false
	}
	if err := decoder.Decode(&next); err == nil {
		d.found.add(d.atLine(next.Line, ""), "a second document begins; write one, with suites: for several consumers")
		return false
	} else if !errors.Is(err, io.EOF) {
		return d.notYAML(err)
	}
	top := root.Content[0]
	if top.Kind != yaml.MappingNode {
		d.found.add(d.at(""), "is %s, but must be fields like this:\n%s", kindWord(top.Kind), example)
		return false
	}
	return (&yamlReader{document: d}).read(top)
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// notYAML reports what the YAML library says, with its line in our way.
func (d *document) notYAML(err error) bool {
	message, at := strings.TrimPrefix(harmless(err), "yaml: "), d.at("")
	if match := yamlLine.FindStringSubmatch(message); match != nil {
		number, _ := strconv.Atoi(match[1])
		at, message = d.atLine(number, ""), strings.TrimPrefix(message, match[0])
	}
	d.found.add(at, "is not YAML: %s", message)
	return false
}

func absolute(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// absoluteSource makes the path in a source absolute.
func absoluteSource(dir, text string) string {
	source, err := ParseSource(text)
	if err != nil || !source.IsArchive() {
		return text
	}
	return fmt.Sprintf("%s:%s", source.Kind, absolute(dir, source.Value))
}
