// Package manifest puts recorded images into the text of Kubernetes manifests. It
// changes nothing but the images: comments, order, anchors, quotes, line ends and
// kinds that it does not know stay as they are. It must not know clusters or
// records, and talks to nobody.
package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"
	"golang.org/x/sync/errgroup"
)

// Image is a recorded image.
type Image struct {
	// Name in records, like datastorage.
	Name string
	// Image is `<repository>:<tag>`, ImageID its identity.
	Image, ImageID string
	// Aliases are references and repositories that mean the image, too.
	Aliases []string
}

// Options say what is put in.
type Options struct {
	Images []Image
	// Annotate also writes imageid.e2eimage.dev/<name> into the pod templates that
	// have an image, so that new content under an old tag rolls out.
	Annotate bool
}

// Problem is one thing that is wrong, with its line in the text, from 1 on.
type Problem struct {
	Line int
	Text string
}

// Error says all that is wrong with a text.
type Error struct {
	// File is what the text is called, "" for standard input.
	File     string
	Problems []Problem
}

func (e *Error) Error() string {
	file := e.File
	if file == "" {
		file = "standard input"
	}
	lines := make([]string, 0, len(e.Problems))
	for _, problem := range e.Problems {
		lines = append(lines, fmt.Sprintf("%s:%d: %s", file, problem.Line, problem.Text))
	}
	return strings.Join(lines, "\n")
}

// Render returns the text with the images in it, in UTF-8. file is what the text is called
// in errors, which are *Error.
func Render(text []byte, file string, options Options) ([]byte, error) {
	text, err := Decoded(text, file)
	if err != nil {
		return nil, err
	}
	documents := split(text)
	needles := needles(options.Images)
	rendered := make([][]byte, len(documents))
	failed := make([][]Problem, len(documents))
	var working errgroup.Group
	working.SetLimit(runtime.GOMAXPROCS(0))
	for i, document := range documents {
		rendered[i] = document.text
		plain := unescaped(document.text)
		if !slices.ContainsFunc(needles, func(needle []byte) bool { return bytes.Contains(plain, needle) }) {
			// Most documents of a chart have no image of the suite.
			continue
		}
		working.Go(func() error {
			var err error
			rendered[i], err = document.render(options)
			var wrong *Error
			if errors.As(err, &wrong) {
				failed[i] = wrong.Problems
			}
			return nil
		})
	}
	_ = working.Wait() // each says its problems itself
	if all := slices.Concat(failed...); len(all) > 0 {
		return nil, &Error{File: file, Problems: all}
	}
	return bytes.Join(rendered, nil), nil
}

// needles are texts of which a document has one if it has any of the images.
func needles(images []Image) [][]byte {
	found := append([][]byte{[]byte(Placeholder)}, base64Needles()...)
	for _, image := range images {
		for _, name := range append([]string{image.Image}, image.Aliases...) {
			named, err := reference.ParseNormalizedNamed(name)
			if err != nil {
				continue
			}
			// The last part is in it however the name is written, also where a
			// slash is escaped.
			repository := named.Name()
			needle := []byte(repository[strings.LastIndexByte(repository, '/')+1:])
			if !slices.ContainsFunc(found, func(other []byte) bool { return bytes.Equal(other, needle) }) {
				found = append(found, needle)
			}
		}
	}
	return found
}

// escape is how a character of a reference, or the end of a line, is escaped in quotes.
var escape = regexp.MustCompile(`\\(?:/|\r?\n[ \t]*|x[0-9a-fA-F]{2}|u00[0-9a-fA-F]{2}|U000000[0-9a-fA-F]{2})`)

// unescaped is a text to look for needles in, whoever wrote it.
func unescaped(text []byte) []byte {
	if bytes.IndexByte(text, '\\') < 0 {
		return text
	}
	return escape.ReplaceAllFunc(text, func(one []byte) []byte {
		switch code, err := strconv.ParseUint(string(one[2:]), 16, 8); {
		case one[1] == '/':
			return one[1:]
		case err != nil:
			return nil
		default:
			return []byte{byte(code)}
		}
	})
}

// document is a part of the text that begins with its separator, if it has one.
type document struct {
	text []byte
	// line is where it begins, from 0 on.
	line int
}

// split cuts the text where documents begin. Nothing is lost.
func split(text []byte) []document {
	if objects := splitJSON(text); len(objects) > 1 {
		return objects
	}
	var documents []document
	begin, line, begun := 0, 0, 0
	for at := 0; at < len(text); {
		end := len(text)
		if i := bytes.IndexByte(text[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		if at > begin && isSeparator(text[at:end]) {
			documents = append(documents, document{text: text[begin:at], line: begun})
			begin, begun = at, line
		}
		at = end
		line++
	}
	return append(documents, document{text: text[begin:], line: begun})
}

// splitJSON cuts a stream of JSON objects, which has no separators. It is nil for what
// is not one.
func splitJSON(text []byte) []document {
	if trimmed := bytes.TrimLeft(text, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return nil
	}
	var documents []document
	begin, line := 0, 0
	for decoder := json.NewDecoder(bytes.NewReader(text)); decoder.More(); {
		var object json.RawMessage
		if decoder.Decode(&object) != nil {
			return nil
		}
		end := int(decoder.InputOffset())
		documents = append(documents, document{text: text[begin:end], line: line})
		line += bytes.Count(text[begin:end], []byte("\n"))
		begin = end
	}
	if len(documents) > 0 {
		last := &documents[len(documents)-1]
		last.text = text[begin-len(last.text):]
	}
	return documents
}

func isSeparator(line []byte) bool {
	return bytes.HasPrefix(line, []byte("---")) && (len(line) == 3 || strings.IndexByte(" \t\r\n", line[3]) >= 0)
}
