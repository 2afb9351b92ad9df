package cli

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// refHelm prints arguments for Helm, on one line that is right where a shell puts it into
// a command without quotes: helm install NAME CHART $args. Without a helm: block in the
// config the keys are those of `helm create`. whole is the command for the whole suite.
func refHelm(suite config.Suite, result *e2eimage.RefResult, facts config.TemplateValues, whole string,
) (string, error) {
	keys := suite.Helm
	if len(keys) == 0 {
		if len(result.Images) != 1 {
			return "", &usageError{
				fmt.Errorf("-o helm for %d images needs the suite's helm: block in e2eimage.yaml: which chart value is which image",
					len(result.Images)),
			}
		}
		keys = map[string]string{"image.repository": "{{.Repository}}", "image.tag": "{{.Tag}}"}
		// Its chart is of this image alone.
		suite.Images, suite.Others = nil, nil
	}
	chart := chart{suite: suite, result: result, facts: facts, whole: whole, set: map[string]bool{}}
	var arguments []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		images, err := chart.images(key, keys[key])
		if err != nil {
			return "", err
		}
		if len(images) == 0 {
			continue
		}
		value, err := chart.value(key, keys[key], images)
		if err != nil {
			return "", err
		}
		arguments = append(arguments, helmArgument(key, value))
	}
	for _, image := range result.Images {
		if !chart.set[image.Name] && (suite.Part || !chart.setsAny()) {
			return "", &usageError{fmt.Errorf("the suite's helm: block in e2eimage.yaml has no key for %s, so Helm would "+
				"install another image; add one, such as %s.image: \"{{.Image}}\"", image.Name, image.Name)}
		}
	}
	return strings.Join(arguments, " ") + "\n", nil
}

// chart is which values a chart gets.
type chart struct {
	suite  config.Suite
	result *e2eimage.RefResult
	facts  config.TemplateValues
	whole  string
	// set are the images that a value is about.
	set map[string]bool
}

// setsAny tells whether a value is about any image at all.
func (c *chart) setsAny() bool {
	return slices.ContainsFunc(c.result.Images, func(image e2eimage.Ref) bool { return c.set[image.Name] })
}

// images are those that a key is about: the one that its first part names, else all. There
// are none where it is about an image that was not asked for.
func (c *chart) images(key, template string) ([]e2eimage.Ref, error) {
	name := key[:strings.IndexAny(key+".", ".[")]
	for _, image := range c.result.Images {
		if image.Name == name {
			return []e2eimage.Ref{image}, nil
		}
	}
	for _, image := range slices.Concat(c.suite.Images, c.suite.Others) {
		switch {
		case image.Name == name && image.External != "" && !config.HelmNeedsImage(template):
			return c.result.Images, nil
		case image.Name == name && image.External != "":
			return nil, &usageError{
				fmt.Errorf("helm key %s is for %s, an external image, which has no record; write %s into the chart's values", key,
					name, image.External),
			}
		case image.Name == name:
			return nil, nil
		}
	}
	var missing []string
	for _, other := range c.suite.Others {
		if other.External == "" {
			missing = append(missing, other.Name)
		}
	}
	if len(missing) == 0 {
		return c.result.Images, nil
	}
	// It is for all images, and has to be right for those that were not asked for, too.
	here, err := c.render(template, c.result.Images[0])
	if err != nil {
		return nil, err
	}
	another := e2eimage.Ref{Name: "x", Image: "x", Repository: "x", Tag: "x", ImageID: "x"}
	if c.suite.TagGroup != "" {
		another.Tag = c.result.Images[0].Tag
	}
	if there, err := c.render(template, another); err != nil || here != there {
		return nil, &usageError{
			fmt.Errorf("helm key %s needs every image of the suite, also %s; run: %s", key,
				strings.Join(missing, ", "), c.whole),
		}
	}
	return c.result.Images, nil
}

func (c *chart) render(template string, image e2eimage.Ref) (string, error) {
	facts := c.facts
	facts.Name, facts.Consumer = image.Name, c.result.Consumer
	return config.HelmValue(template, config.HelmValues{
		TemplateValues: facts,
		Image:          image.Image, Repository: image.Repository, Tag: image.Tag, Digest: image.Digest,
		ImageID: image.ImageID,
	})
}

// value is what all the images agree on.
func (c *chart) value(key, template string, images []e2eimage.Ref) (string, error) {
	values := map[string][]string{}
	for _, image := range images {
		value, err := c.render(template, image)
		if err != nil {
			return "", err
		}
		values[value] = append(values[value], image.Name)
		c.set[image.Name] = c.set[image.Name] || config.HelmNeedsImage(template)
	}
	if len(values) > 1 {
		message := fmt.Sprintf("helm key %s would get several values:", key)
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

// bare is what neither a shell nor --set-string takes for anything else.
var bare = regexp.MustCompile(`^[A-Za-z0-9_@%+=:./-]*$`)

// helmArgument is text, whatever it looks like: a tag may be all digits, which --set would
// turn into a number. Only true and false are not: as text, both are true to a chart. No
// shell has a say in it, since it has no blank, also where quotes are only characters, as
// in $args.
func helmArgument(key, value string) string {
	if value == "true" || value == "false" {
		return "--set " + key + "=" + value
	}
	if bare.MatchString(value) {
		return "--set-string " + key + "=" + value
	}
	text := ""
	for _, unit := range utf16.Encode([]rune(value)) {
		if char := string(rune(unit)); bare.MatchString(char) {
			text += char
			continue
		}
		text += fmt.Sprintf(`\u%04x`, unit)
	}
	return "--set-json " + key + `="` + text + `"`
}
