package manifest

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// free are the fields in which anything can stand, of the object or of what is in it:
// what is called image there is none.
func free(path []string) bool {
	if len(path) > 0 && slices.Contains([]string{"data", "stringData", "binaryData"}, path[0]) {
		return true
	}
	return slices.ContainsFunc(path, func(field string) bool {
		return slices.Contains([]string{"metadata", "labels", "annotations", "selector", "matchLabels", "nodeSelector"},
			field)
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
			r.problem(node, "*%s refers to itself", node.Value)
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
			r.problem(node, "%s can mean %s; write %s%s for the one that you mean", node.Value, strings.Join(names, " or "),
				Placeholder, names[0])
		}
		return nil
	}
	return nil
}
