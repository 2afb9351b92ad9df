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

	"go.yaml.in/yaml/v3"
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
		return nil, &Error{Problems: []Problem{{
			Line: d.line + line,
			Text: "a second document begins without a line --- before it",
		}}}
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
