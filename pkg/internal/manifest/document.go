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
	// unclear are the values that could be several images.
	unclear map[*yaml.Node]bool

	// shared is set where there are aliases. Then visits are the places where a node
	// stands, aliases those of scalars, and within what is being visited.
	shared  bool
	visits  map[*yaml.Node]int
	visited int
	aliases []*yaml.Node
	within  map[*yaml.Node]bool
	// changes are how often each change of a node is wanted; changed are the nodes in
	// their order.
	changes map[*yaml.Node]map[change]int
	changed []*yaml.Node
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

func (d document) render(options Options) ([]byte, error) {
	r := &rendering{
		document: d, options: options, unclear: map[*yaml.Node]bool{},
		visits: map[*yaml.Node]int{}, within: map[*yaml.Node]bool{}, changes: map[*yaml.Node]map[change]int{},
	}
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
	r.fill(&root)
	for _, child := range root.Content {
		r.visit(child, nil)
	}
	r.settle()
	var rendered []byte
	if len(r.problems) == 0 {
		rendered = r.apply()
		r.left(rendered)
	}
	if len(r.problems) > 0 {
		slices.SortStableFunc(r.problems, func(a, b Problem) int { return a.Line - b.Line })
		return nil, &Error{Problems: r.problems}
	}
	return rendered, nil
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

// visit looks at a value; path are the fields that lead to it, from the object on. What
// an alias stands for is a value of each place where it stands.
func (r *rendering) visit(node *yaml.Node, path []string) {
	if !r.enter(node) {
		return
	}
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
	case yaml.AliasNode:
		switch {
		case node.Alias.Kind == yaml.ScalarNode:
			r.alias(node)
		case r.within[node.Alias]:
			r.problem(node, "*%s stands for what it is in itself", node.Value)
		default:
			r.within[node.Alias] = true
			r.visit(node.Alias, path)
			delete(r.within, node.Alias)
		}
	case yaml.ScalarNode, yaml.DocumentNode:
	}
}

func (r *rendering) alias(node *yaml.Node) {
	if r.visits[node] == 1 {
		r.aliases = append(r.aliases, node)
	}
}

func (r *rendering) mapping(node *yaml.Node, path []string) {
	fields, merged := r.fields(node)
	for _, one := range merged {
		r.enter(one)
	}
	for _, p := range fields {
		key := followed(p.key).Value
		if isImage(path, key) && !free(path) && r.image(p.value) {
			continue
		}
		r.visit(p.value, append(slices.Clone(path), key))
	}
	if r.options.Annotate {
		r.annotate(node, path)
	}
}

// isImage tells whether a field is an image, of a container or of an image volume.
func isImage(path []string, key string) bool {
	return key == "image" || key == "reference" && len(path) > 0 && path[len(path)-1] == "image"
}

// image looks at what stands as an image, and tells whether it is one value. Where it is
// an alias, the alias is replaced: what it stands for may be used as something else.
func (r *rendering) image(value *yaml.Node) bool {
	at := followed(value)
	if at.Kind != yaml.ScalarNode {
		return false
	}
	r.enter(value)
	if value.Kind == yaml.AliasNode {
		r.alias(value)
	}
	if image := r.meant(at); image != nil && !strings.Contains(at.Value, Placeholder) {
		r.want(value, change{replace: image.Image})
	}
	return true
}

// meant is the image that a value means, nil for none.
func (r *rendering) meant(node *yaml.Node) *Image {
	if strings.Contains(node.Value, Placeholder) {
		return r.nameless(node.Value)
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
		if !r.unclear[node] {
			r.unclear[node] = true
			r.problem(node, "%s can be %s; write %s%s for the one that is meant", node.Value, strings.Join(names, " or "), Placeholder, names[0])
		}
		return nil
	}
	return nil
}

// replace puts a value in the place of a scalar, or of an alias of one.
func (r *rendering) replace(node *yaml.Node, value string) {
	from, to, quote, ok := r.place(node)
	if !ok {
		r.problem(node, "%s cannot be replaced where it is written over several lines or in a block; write it on one line", node.Value)
		return
	}
	if string(r.text[from:to]) != quote+value+quote {
		r.edits = append(r.edits, edit{from: from, to: to, text: quote + value + quote})
	}
}

// place finds the text of a scalar that stands on one line, behind its tag and anchor.
func (r *rendering) place(node *yaml.Node) (from, to int, quote string, ok bool) {
	if node.Kind == yaml.AliasNode {
		from = r.offset(node.Line, node.Column)
		if node.Alias.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			quote = `"`
		}
		return from, from + 1 + len(node.Value), quote, bytes.HasPrefix(r.text[from:], []byte("*"+node.Value))
	}
	if from = r.begin(node); from >= len(r.text) {
		return 0, 0, "", false
	}
	switch node.Style &^ yaml.TaggedStyle {
	case yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle:
		to, ok = closing(r.text, from)
		return from, to, string(r.text[from]), ok && !bytes.ContainsRune(r.text[from:to], '\n')
	case yaml.LiteralStyle, yaml.FoldedStyle:
		return 0, 0, "", false
	}
	return from, from + len(node.Value), "", bytes.HasPrefix(r.text[from:], []byte(node.Value))
}

// begin is where the text of a scalar begins, behind its tag and anchor.
func (r *rendering) begin(node *yaml.Node) int {
	from := r.offset(node.Line, node.Column)
	for from < len(r.text) && strings.IndexByte("&!", r.text[from]) >= 0 {
		for from < len(r.text) && strings.IndexByte(" \t\r\n", r.text[from]) < 0 {
			from++
		}
		for from < len(r.text) && strings.IndexByte(" \t", r.text[from]) >= 0 {
			from++
		}
	}
	return from
}

// extent is where the text of a scalar is, or of what begins with it: only quotes say
// where they end.
func (r *rendering) extent(node *yaml.Node) (from, to int) {
	from = r.begin(node)
	switch node.Style &^ yaml.TaggedStyle {
	case yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle:
		if end, ok := closing(r.text, from); ok {
			return from, end
		}
	case yaml.LiteralStyle, yaml.FoldedStyle:
		// Behind the mark may be a comment.
		if end := bytes.IndexByte(r.text[from:], '\n'); end >= 0 {
			from += end
		}
	}
	return from, len(r.text)
}

// closing finds the end of what is quoted.
func closing(text []byte, from int) (int, bool) {
	if from >= len(text) || text[from] != '"' && text[from] != '\'' {
		return 0, false
	}
	for i := from + 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && text[from] == '"':
			i++
		case text[i] != text[from]:
		case text[from] == '\'' && i+1 < len(text) && text[i+1] == '\'':
			i++
		default:
			return i + 1, true
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
