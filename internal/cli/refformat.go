package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"
	"sigs.k8s.io/yaml"

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
	}
	return text.String()
}

// refHelm prints --set-string arguments, on one line: a tag may be all digits,
// which --set would turn into a number. Without a helm: block in the config the
// keys are those of `helm create`.
func refHelm(suite config.Suite, result *e2eimage.RefResult, values config.TemplateValues) (string, error) {
	keys := suite.Helm
	if len(keys) == 0 {
		if len(result.Images) != 1 {
			return "", &usageError{fmt.Errorf("-o helm for %d images needs the suite's helm: block in e2eimage.yaml: which chart value is which image", len(result.Images))}
		}
		keys = map[string]string{"image.repository": "{{.Repository}}", "image.tag": "{{.Tag}}"}
	}
	var arguments []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		value, err := helmValue(key, keys[key], result, values)
		if err != nil {
			return "", err
		}
		arguments = append(arguments, "--set-string", shellescape.Quote(key+"="+escapeHelm(value)))
	}
	return strings.Join(arguments, " ") + "\n", nil
}

// helmValue renders a template for the image that the key's first part names,
// else for all images, which then have to agree.
func helmValue(key, template string, result *e2eimage.RefResult, facts config.TemplateValues) (string, error) {
	var images []e2eimage.Ref
	for _, image := range result.Images {
		if strings.HasPrefix(key, image.Name+".") {
			images = []e2eimage.Ref{image}
			break
		}
		images = append(images, image)
	}
	values := map[string][]string{}
	for _, image := range images {
		facts.Name, facts.Consumer = image.Name, result.Consumer
		value, err := config.HelmValue(template, config.HelmValues{
			TemplateValues: facts,
			Image:          image.Image, Repository: image.Repository, Tag: image.Tag, ImageID: image.ImageID,
		})
		if err != nil {
			return "", err
		}
		values[value] = append(values[value], image.Name)
	}
	if len(values) > 1 {
		message := fmt.Sprintf("helm key %s would have to be several things at once:", key)
		for _, value := range slices.Sorted(maps.Keys(values)) {
			message += fmt.Sprintf("\n  %q for %s", value, strings.Join(values[value], ", "))
		}
		return "", &e2eimage.InconsistentError{Err: fmt.Errorf("%s\ngive each its own key, like NAME.image.tag", message)}
	}
	for value := range values {
		return value, nil
	}
	return "", nil
}

// escapeHelm protects what separates values in --set-string, and the brace with
// which a list begins.
func escapeHelm(value string) string {
	value = strings.NewReplacer(`\`, `\\`, `,`, `\,`).Replace(value)
	if strings.HasPrefix(value, "{") {
		value = `\` + value
	}
	return value
}

// refKustomize prints the images: block of a kustomization. Manifests name the
// image by the repository of its source, or by its own.
func refKustomize(result *e2eimage.RefResult) (string, error) {
	type image struct {
		Name    string `json:"name"`
		NewName string `json:"newName"`
		NewTag  string `json:"newTag"`
	}
	var block struct {
		Images []image `json:"images"`
	}
	for _, ref := range result.Images {
		for _, name := range slices.Compact([]string{sourceRepository(ref), ref.Repository}) {
			block.Images = append(block.Images, image{Name: name, NewName: ref.Repository, NewTag: ref.Tag})
		}
	}
	text, err := yaml.Marshal(block)
	return string(text), err
}

// sourceRepository is the source without its tag; a source that is an ID or an
// archive has none, and manifests then can only name the image itself.
func sourceRepository(ref e2eimage.Ref) string {
	source, err := config.ParseSource(ref.Source)
	if err != nil || source.Kind != config.SourceReference {
		return ref.Repository
	}
	name, _, _ := strings.Cut(source.Value, "@")
	if colon := strings.LastIndex(name, ":"); colon > strings.LastIndex(name, "/") {
		name = name[:colon]
	}
	return name
}
