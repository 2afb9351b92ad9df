package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// refEnv prints shell assignments. Values that need no quotes get none, so that
// make and env files can read them too.
func refEnv(result *e2eimage.RefResult) string {
	var text strings.Builder
	for _, image := range result.Images {
		prefix := strings.ToUpper(strings.ReplaceAll(image.Name, "-", "_"))
		if prefix[0] >= '0' && prefix[0] <= '9' {
			prefix = "_" + prefix
		}
		for _, variable := range [][2]string{
			{"IMAGE", image.Image}, {"REPOSITORY", image.Repository}, {"TAG", image.Tag}, {"ID", image.ImageID},
		} {
			fmt.Fprintf(&text, "%s_%s=%s\n", prefix, variable[0], shellescape.Quote(variable[1]))
		}
		if image.Digest != "" {
			fmt.Fprintf(&text, "%s_DIGEST=%s\n", prefix, shellescape.Quote(image.Digest))
		}
	}
	return text.String()
}

// refKustomize prints the images: block of a kustomization. Manifests name the
// image by the repository of its source, or by its own; more Kustomize does not look at.
func refKustomize(suite config.Suite, result *e2eimage.RefResult) (string, error) {
	type image struct {
		Name    string `json:"name"`
		NewName string `json:"newName"`
		NewTag  string `json:"newTag,omitempty"`
		Digest  string `json:"digest,omitempty"`
	}
	var block struct {
		Images []image `json:"images"`
	}
	meant := map[string]string{}
	for _, other := range suite.Others {
		meant[repositoryOf(other.Source)], meant[cmp.Or(other.Repository, config.DefaultRepository(other.Name))] = other.Name,
			other.Name
	}
	for _, ref := range result.Images {
		for _, name := range slices.Compact([]string{cmp.Or(repositoryOf(ref.Source), ref.Repository), ref.Repository}) {
			if other := meant[name]; other != "" && other != ref.Name {
				return "", &e2eimage.InconsistentError{Err: fmt.Errorf("%s and %s have the same repository, %s, so Kustomize "+
					"cannot tell them apart\nuse instead: kubectl e2eimage render -k FOLDER", other, ref.Name, name)}
			}
			meant[name] = ref.Name
			one := image{Name: name, NewName: ref.Repository, NewTag: ref.Tag}
			if ref.Digest != "" {
				// Kustomize writes one of the two.
				one.NewTag, one.Digest = "", ref.Digest
			}
			block.Images = append(block.Images, one)
		}
	}
	text, err := marshalYAML(block)
	return string(text), err
}

// repositoryOf is a source without its tag. A source that is an ID or an archive has none,
// and manifests then can only name the image itself.
func repositoryOf(text string) string {
	source, err := config.ParseSource(text)
	if err != nil || source.Kind != config.SourceReference {
		return ""
	}
	name, _, _ := strings.Cut(source.Value, "@")
	if colon := strings.LastIndex(name, ":"); colon > strings.LastIndex(name, "/") {
		name = name[:colon]
	}
	return name
}
