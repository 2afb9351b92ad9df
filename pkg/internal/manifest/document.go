package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// edit replaces a part of a document's text.
type edit struct {
	from, to int
	text     string
}

// rendering is a document that is being worked on.
type rendering struct {
	document
	options Options
	// lines are the offsets at which lines begin.
	lines    []int
	edits    []edit
	problems []Problem
	// done are the scalars that were looked at: an anchor's is reached by each of
	// its aliases.
	done map[*yaml.Node]bool
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

func (d document) render(options Options) ([]byte, error) {
	r := &rendering{document: d, options: options, done: map[*yaml.Node]bool{}}
	var root yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(d.text))
	if err := decoder.Decode(&root); err != nil && !errors.Is(err, io.EOF) {
		line, text := whereFrom(err)
		return nil, &Error{Problems: []Problem{{Line: d.line + line, Text: "is not YAML: " + text}}}
	}
	var more yaml.Node
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		line := more.Line
		if err != nil {
			// Of a parser's error the library counts from 0.
			line, _ = whereFrom(err)
			line++
		}
		return nil, &Error{Problems: []Problem{{Line: d.line + line, Text: "a second document begins without a line --- before it"}}}
	}
	r.lines = lineOffsets(d.text)
	for _, child := range root.Content {
		r.visit(child, nil)
	}
	if len(r.problems) > 0 {
		return nil, &Error{Problems: r.problems}
	}
	return r.apply(), nil
}

// whereFrom takes the line out of an error of the YAML library.
func whereFrom(err error) (line int, text string) {
	line, text = 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if match := yamlLine.FindStringSubmatch(text); match != nil {
		line, _ = strconv.Atoi(match[1])
		text = strings.Replace(text, match[0], "", 1)
	}
	return line, text
}

// lineOffsets are where lines begin, as the YAML library counts them: it takes all line
// ends of YAML 1.1.
func lineOffsets(text []byte) []int {
	offsets := []int{0}
	for at := 0; at < len(text); {
		next, size := utf8.DecodeRune(text[at:])
		at += size
		switch next {
		case '\r':
			if at < len(text) && text[at] == '\n' {
				at++
			}
			offsets = append(offsets, at)
		case '\n', '\u0085', '\u2028', '\u2029':
			offsets = append(offsets, at)
		}
	}
	return offsets
}

// apply carries the edits out; none overlaps another.
func (r *rendering) apply() []byte {
	slices.SortStableFunc(r.edits, func(a, b edit) int { return a.from - b.from })
	var out bytes.Buffer
	at := 0
	for _, e := range r.edits {
		out.Write(r.text[at:e.from])
		out.WriteString(e.text)
		at = e.to
	}
	out.Write(r.text[at:])
	return out.Bytes()
}

func (r *rendering) problem(node *yaml.Node, format string, args ...any) {
	r.problems = append(r.problems, Problem{Line: r.line + node.Line, Text: fmt.Sprintf(format, args...)})
}

// free are the fields in which anything can stand, of the object or of what is in it:
// what is called image there is none.
func free(path []string) bool {
	if len(path) > 0 && slices.Contains([]string{"data", "stringData", "binaryData"}, path[0]) {
		return true
	}
	return slices.ContainsFunc(path, func(field string) bool {
		return slices.Contains([]string{"metadata", "labels", "annotations", "selector", "matchLabels", "nodeSelector"}, field)
	})
}

// visit looks at a value; path are the fields that lead to it, from the object on.
func (r *rendering) visit(node *yaml.Node, path []string) {
	switch node.Kind {
	case yaml.MappingNode:
		r.mapping(node, path)
	case yaml.SequenceNode:
		for _, child := range node.Content {
			inner := path
			if len(path) == 1 && path[0] == "items" {
				// A List: its items are objects.
				inner = nil
			}
			r.visit(child, inner)
		}
	case yaml.ScalarNode:
		r.placeholder(node)
	case yaml.AliasNode, yaml.DocumentNode:
	}
}

func (r *rendering) mapping(node *yaml.Node, path []string) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		inner := append(slices.Clone(path), key.Value)
		if key.Value == "image" && !free(path) && r.image(value) {
			continue
		}
		r.visit(value, inner)
	}
	if r.options.Annotate {
		r.annotate(node, path)
	}
}

// image looks at what stands as an image, and tells whether it is one value.
func (r *rendering) image(value *yaml.Node) bool {
	at := value
	if value.Kind == yaml.AliasNode {
		at = value.Alias
	}
	if at.Kind != yaml.ScalarNode {
		return false
	}
	if image := r.meant(at); image != nil {
		r.replace(value, image.Image)
	}
	return true
}

// placeholder resolves a placeholder, wherever it stands.
func (r *rendering) placeholder(node *yaml.Node) {
	if !strings.HasPrefix(node.Value, Placeholder) || r.done[node] {
		return
	}
	if image := r.named(node); image != nil {
		r.replace(node, image.Image)
	}
}

// named is the image of a placeholder.
func (r *rendering) named(node *yaml.Node) *Image {
	name := strings.TrimPrefix(node.Value, Placeholder)
	for i := range r.options.Images {
		if r.options.Images[i].Name == name {
			return &r.options.Images[i]
		}
	}
	var known []string
	for _, image := range r.options.Images {
		known = append(known, image.Name)
	}
	if !r.done[node] {
		r.done[node] = true
		r.problem(node, "%s%s: no image of that name is recorded; there is %s", Placeholder, name, strings.Join(known, ", "))
	}
	return nil
}

// meant is the image that a value means, nil for none.
func (r *rendering) meant(node *yaml.Node) *Image {
	if strings.HasPrefix(node.Value, Placeholder) {
		return r.named(node)
	}
	best := map[ociimage.Match][]*Image{}
	for i := range r.options.Images {
		image := &r.options.Images[i]
		match := ociimage.MatchReference(node.Value, append([]string{image.Image}, image.Aliases...)...)
		best[match] = append(best[match], image)
	}
	for _, match := range []ociimage.Match{ociimage.Fully, ociimage.ByRepository} {
		switch len(best[match]) {
		case 0:
			continue
		case 1:
			return best[match][0]
		}
		var names []string
		for _, image := range best[match] {
			names = append(names, image.Name)
		}
		if !r.done[node] {
			r.done[node] = true
			r.problem(node, "%s can be %s; write %s%s for the one that is meant", node.Value, strings.Join(names, " or "), Placeholder, names[0])
		}
		return nil
	}
	return nil
}

// replace puts a value in the place of a scalar, or of an alias of one: the alias,
// since what its anchor stands for may be used as something else.
func (r *rendering) replace(node *yaml.Node, value string) {
	if r.done[node] {
		return
	}
	r.done[node] = true
	from, to, quote, ok := r.place(node)
	if !ok {
		r.problem(node, "%s cannot be replaced where it is written over several lines or in a block; write it on one line", node.Value)
		return
	}
	if string(r.text[from:to]) != quote+value+quote {
		r.edits = append(r.edits, edit{from: from, to: to, text: quote + value + quote})
	}
}

// place finds the text of a scalar, behind its tag and anchor.
func (r *rendering) place(node *yaml.Node) (from, to int, quote string, ok bool) {
	from = r.offset(node.Line, node.Column)
	if node.Kind == yaml.AliasNode {
		return from, from + 1 + len(node.Value), "", bytes.HasPrefix(r.text[from:], []byte("*"+node.Value))
	}
	for from < len(r.text) && strings.IndexByte("&!", r.text[from]) >= 0 {
		for from < len(r.text) && strings.IndexByte(" \t\r\n", r.text[from]) < 0 {
			from++
		}
		for from < len(r.text) && strings.IndexByte(" \t", r.text[from]) >= 0 {
			from++
		}
	}
	if from >= len(r.text) {
		return 0, 0, "", false
	}
	switch node.Style &^ yaml.TaggedStyle {
	case yaml.DoubleQuotedStyle:
		to, ok = closing(r.text, from, '"', '\\')
		return from, to, `"`, ok
	case yaml.SingleQuotedStyle:
		to, ok = closing(r.text, from, '\'', 0)
		return from, to, "'", ok
	case yaml.LiteralStyle, yaml.FoldedStyle:
		return 0, 0, "", false
	}
	return from, from + len(node.Value), "", bytes.HasPrefix(r.text[from:], []byte(node.Value))
}

// closing finds the end of what is quoted on one line.
func closing(text []byte, from int, quote, escape byte) (int, bool) {
	if text[from] != quote {
		return 0, false
	}
	for i := from + 1; i < len(text); i++ {
		switch text[i] {
		case '\n':
			return 0, false
		case quote:
			return i + 1, true
		case escape:
			if escape != 0 {
				i++
			}
		}
	}
	return 0, false
}

// offset turns a line and a column, which counts characters, into an offset.
func (r *rendering) offset(line, column int) int {
	at := r.lines[min(line, len(r.lines))-1]
	for range column - 1 {
		if at >= len(r.text) {
			break
		}
		_, size := utf8.DecodeRune(r.text[at:])
		at += size
	}
	return at
}
