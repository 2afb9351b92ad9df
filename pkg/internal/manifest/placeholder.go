package manifest

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Placeholder begins a text that stands for the image of a name: e2eimage://datastorage.
const Placeholder = "e2eimage://"

// placeholder takes all that could belong to the name, so that nothing that follows it
// becomes a part of another reference. A sentence may end behind it.
var placeholder = regexp.MustCompile(Placeholder + `(?:[A-Za-z0-9_.:/@%+~$-]*[A-Za-z0-9_/@%+~$-])?`)

// fill replaces placeholders in all texts of a value, also in keys, blocks and longer
// values. An anchor's is replaced where the anchor is.
func (r *rendering) fill(node *yaml.Node) {
	for _, child := range node.Content {
		r.fill(child)
	}
	switch {
	case node.Kind == yaml.AliasNode:
		r.shared = true
	case node.Kind != yaml.ScalarNode:
	case strings.Contains(node.Value, Placeholder):
		r.fillText(node)
	case inBase64(node.Value):
		r.problem(node, "%s stands here in base64, where it cannot be replaced; a Secret's stringData has it as text",
			Placeholder)
	}
}

func (r *rendering) fillText(node *yaml.Node) {
	wanted := placeholder.FindAllString(node.Value, -1)
	from, to := r.extent(node)
	found := placeholder.FindAllIndex(r.text[from:to], len(wanted))
	written := make([]string, 0, len(found))
	for _, at := range found {
		written = append(written, string(r.text[from+at[0]:from+at[1]]))
	}
	if !slices.Equal(written, wanted) {
		// Written with escapes, such as \/.
		if len(wanted) == 1 && wanted[0] == node.Value {
			if image := r.named(r.line+node.Line, node.Value); image != nil {
				r.replace(node, image.Image)
			}
			return
		}
		r.problem(node, "%s cannot be replaced where it is written with escapes; write it without", wanted[0])
		return
	}
	for i, at := range found {
		if image := r.named(r.line+lineAt(r.text, from+at[0]), wanted[i]); image != nil {
			r.edits = append(r.edits, edit{from: from + at[0], to: from + at[1], text: image.Image})
		}
	}
}

// named is the image of a placeholder in a line.
func (r *rendering) named(line int, text string) *Image {
	image := r.nameless(text)
	if image == nil {
		var known []string
		for _, image := range r.options.Images {
			known = append(known, image.Name)
		}
		r.problems = append(r.problems, Problem{
			Line: line,
			Text: text + ": no image of that name is recorded; there is " + strings.Join(known, ", "),
		})
	}
	return image
}

// nameless is the image of a placeholder, nil where there is none of that name.
func (r *rendering) nameless(text string) *Image {
	name, is := strings.CutPrefix(text, Placeholder)
	at := slices.IndexFunc(r.options.Images, func(image Image) bool { return is && image.Name == name })
	if at < 0 {
		return nil
	}
	return &r.options.Images[at]
}

// filled is a text as it is after fill.
func (r *rendering) filled(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(one string) string {
		if image := r.nameless(one); image != nil {
			return image.Image
		}
		return one
	})
}

// left says where placeholders are left in what was rendered.
func (r *rendering) left(text []byte) {
	if !bytes.Contains(text, []byte(Placeholder)) {
		return
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		r.problem(&yaml.Node{Line: 1}, "with the images in it, it would not be YAML any more: %v", err)
		return
	}
	var look func(*yaml.Node)
	look = func(node *yaml.Node) {
		if node.Kind == yaml.ScalarNode && strings.Contains(node.Value, Placeholder) {
			r.problem(node, "%s cannot be replaced as it is written", placeholder.FindString(node.Value))
		}
		for _, child := range node.Content {
			look(child)
		}
	}
	look(&root)
}

// inBase64 tells whether a text has a placeholder in base64.
func inBase64(text string) bool {
	return slices.ContainsFunc(base64Needles(), func(needle []byte) bool { return strings.Contains(text, string(needle)) })
}

// base64Needles are what a placeholder becomes in base64, at each of three offsets,
// without the characters that what is around it has a part in.
func base64Needles() [][]byte {
	var needles [][]byte
	for offset, first := range []int{0, 2, 3} {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", offset) + Placeholder))
		needles = append(needles, []byte(text[first:(offset+len(Placeholder))*8/6]))
	}
	return needles
}
