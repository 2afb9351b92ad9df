package manifest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// AnnotationPrefix comes before an image's name in the annotation that has its ID.
const AnnotationPrefix = "imageid.e2eimage.dev/"

// annotate writes the IDs of the images that a pod template has into its metadata.
// node is the template if it has a spec with containers.
func (r *rendering) annotate(node *yaml.Node, path []string) {
	if len(path) > 0 && path[len(path)-1] != "template" && path[len(path)-1] != "podTemplate" {
		return
	}
	spec := r.field(node, "spec")
	if spec == nil || len(path) == 0 && r.field(spec, "containers") == nil {
		return
	}
	ids := map[string]string{}
	for _, list := range []string{"initContainers", "containers", "volumes"} {
		all := followed(r.field(spec, list))
		if all == nil || all.Kind != yaml.SequenceNode {
			continue
		}
		for _, one := range all.Content {
			value := r.field(one, "image")
			if list == "volumes" {
				value = r.field(value, "reference")
			}
			if value = followed(value); value == nil || value.Kind != yaml.ScalarNode {
				continue
			}
			if image := r.meant(value); image != nil && image.ImageID != "" {
				ids[AnnotationPrefix+image.Name] = image.ImageID
			}
		}
	}
	if len(ids) > 0 {
		r.write(node, ids)
	}
}

// write puts annotations where the template has room for them.
func (r *rendering) write(template *yaml.Node, ids map[string]string) {
	metadata := followed(r.field(template, "metadata"))
	annotations := followed(r.field(metadata, "annotations"))
	keys := make([]string, 0, len(ids))
	for key := range ids {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var missing []string
	for _, key := range keys {
		if value := r.field(annotations, key); value != nil {
			r.want(value, change{replace: ids[key]})
			continue
		}
		missing = append(missing, key)
	}
	if len(missing) == 0 {
		return
	}
	quote := ""
	if isJSON(template) {
		quote = `"`
	}
	pairs := make([]string, 0, len(missing))
	for _, key := range missing {
		pairs = append(pairs, quote+key+quote+": "+quote+ids[key]+quote)
	}
	mapped := "{" + strings.Join(pairs, ", ") + "}"
	all := quote + "annotations" + quote + ": " + mapped
	switch {
	case isNull(annotations):
		// As charts leave it where nothing is set.
		r.want(annotations, change{value: mapped})
	case isNull(metadata):
		r.want(metadata, change{value: "{" + all + "}"})
	case isMapping(annotations):
		r.want(annotations, change{insert: strings.Join(pairs, "\n")})
	case isMapping(metadata) && annotations == nil:
		r.want(metadata, change{insert: all})
	case metadata == nil:
		r.want(template, change{insert: quote + "metadata" + quote + ": {" + all + "}"})
	default:
		r.problem(template, "nothing can be added to the metadata or annotations of its pod template as they are written; "+
			"write them as a mapping")
	}
}

// isJSON tells whether a mapping is written as JSON has it.
func isJSON(mapping *yaml.Node) bool {
	return mapping.Style&yaml.FlowStyle != 0 && len(mapping.Content) > 0 &&
		mapping.Content[0].Style&yaml.DoubleQuotedStyle != 0
}

func isMapping(node *yaml.Node) bool { return node != nil && node.Kind == yaml.MappingNode }

func isNull(node *yaml.Node) bool {
	return node != nil && node.Kind == yaml.ScalarNode && node.Tag == "!!null"
}

// put puts a value where there is none, behind the colon of its key.
func (r *rendering) put(node *yaml.Node, value string) {
	from := r.offset(node.Line, node.Column)
	to := from + len(node.Value)
	if !bytes.HasPrefix(r.text[from:], []byte(node.Value)) || node.Anchor != "" {
		r.problem(node, "nothing can be added to what has no value here; write it as a mapping")
		return
	}
	if node.Value == "" {
		value = " " + value
	}
	r.edits = append(r.edits, edit{from: from, to: to, text: value})
}

// insert adds entries before the first one of a mapping.
func (r *rendering) insert(mapping *yaml.Node, entries []string) {
	if mapping.Style&yaml.FlowStyle != 0 {
		at := r.offset(mapping.Line, mapping.Column)
		for at < len(r.text) && r.text[at] != '{' {
			at++
		}
		text := strings.Join(entries, ", ")
		if len(mapping.Content) > 0 {
			text += ", "
		}
		r.edits = append(r.edits, edit{from: at + 1, to: at + 1, text: text})
		return
	}
	first := mapping.Content[0]
	at := r.offset(first.Line, first.Column)
	line := r.lines[min(first.Line, len(r.lines))-1]
	end := "\n"
	if next := r.lines[min(first.Line, len(r.lines)-1)]; next >= 2 && r.text[next-1] == '\n' && r.text[next-2] == '\r' {
		end = "\r\n"
	}
	// What stands before the key on its line may be the dash of a list.
	indent := strings.Repeat(" ", len([]rune(string(r.text[line:at]))))
	text := ""
	for _, entry := range entries {
		text += fmt.Sprintf("%s%s%s", entry, end, indent)
	}
	r.edits = append(r.edits, edit{from: at, to: at, text: text})
}
