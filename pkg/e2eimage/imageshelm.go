package e2eimage

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// HelmValues are the chart values that the suite's Helm says, by key as Helm's --set has it:
// image.tag. Without any, an only image has those of a chart of its own: image.repository
// and image.tag. An image that no key is about is a *UsageError: Helm would install another;
// one key with several values is an *InconsistentError.
func (i *Images) HelmValues() (map[string]string, error) {
	if i.tools == nil {
		return nil, errNotTold
	}
	return maps.Clone(i.tools.Helm), i.tools.HelmError.err()
}

// HelmArgs are the HelmValues as arguments of helm, each a word without blanks: they are
// right for os/exec, and where a shell puts them into a command without quotes.
func (i *Images) HelmArgs() ([]string, error) {
	values, err := i.HelmValues()
	if err != nil {
		return nil, err
	}
	var arguments []string
	for _, key := range slices.Sorted(maps.Keys(values)) {
		arguments = append(arguments, helmArgument(key, values[key])...)
	}
	return arguments, nil
}

// bare is what neither a shell nor --set-string takes for anything else.
var bare = regexp.MustCompile(`^[A-Za-z0-9_@%+=:./-]*$`)

// helmArgument is text, whatever it looks like: a tag may be all digits, which --set would
// turn into a number. Only true and false are not: as text, both are true to a chart. No
// shell has a say in it, since it has no blank, also where quotes are only characters, as
// in $args.
func helmArgument(key, value string) []string {
	if value == "true" || value == "false" {
		return []string{"--set", key + "=" + value}
	}
	if bare.MatchString(value) {
		return []string{"--set-string", key + "=" + value}
	}
	text := ""
	for _, unit := range utf16.Encode([]rune(value)) {
		if char := string(rune(unit)); bare.MatchString(char) {
			text += char
			continue
		}
		text += fmt.Sprintf(`\u%04x`, unit)
	}
	return []string{"--set-json", key + `="` + text + `"`}
}

func chartValues(suite config.Suite, images *Images, values config.TemplateValues) (map[string]string, error) {
	chart := chart{suite: suite, images: images, facts: values, set: map[string]bool{}}
	keys := suite.Helm
	if len(keys) == 0 {
		if len(images.Images) != 1 {
			return nil, &UsageError{
				fmt.Errorf("-o helm for %d images needs the suite's helm: block in e2eimage.yaml: which chart value is which image",
					len(images.Images)),
			}
		}
		keys = map[string]string{"image.repository": "{{.Repository}}", "image.tag": "{{.Tag}}"}
		// Its chart is of this image alone.
		chart.suite.Images, chart.suite.Others = nil, nil
	}
	found := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		about, err := chart.about(key, keys[key])
		if err != nil {
			return nil, err
		}
		if len(about) == 0 {
			continue
		}
		if found[key], err = chart.value(key, keys[key], about); err != nil {
			return nil, err
		}
	}
	for _, image := range images.Images {
		if !chart.set[image.Name] && (suite.Part || !chart.setsAny()) {
			return nil, &UsageError{fmt.Errorf("the suite's helm: block in e2eimage.yaml has no key for %s, so Helm would "+
				"install another image; add one, such as %s.image: \"{{.Image}}\"", image.Name, image.Name)}
		}
	}
	return found, nil
}

// chart is which values a chart gets.
type chart struct {
	suite  config.Suite
	images *Images
	facts  config.TemplateValues
	// set are the images that a value is about.
	set map[string]bool
}

// setsAny tells whether a value is about any image at all.
func (c *chart) setsAny() bool {
	return slices.ContainsFunc(c.images.Images, func(image Ref) bool { return c.set[image.Name] })
}

// about are the images that a key is about: the one that its first part names, else all.
// There are none where it is about an image that was not asked for.
func (c *chart) about(key, template string) ([]Ref, error) {
	name := key[:strings.IndexAny(key+".", ".[")]
	for _, image := range c.images.Images {
		if image.Name == name {
			return []Ref{image}, nil
		}
	}
	for _, image := range slices.Concat(c.suite.Images, c.suite.Others) {
		switch {
		case image.Name == name && image.External != "" && !config.HelmNeedsImage(template):
			return c.images.Images, nil
		case image.Name == name && image.External != "":
			return nil, &UsageError{
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
	if len(missing) == 0 || len(c.images.Images) == 0 {
		return c.images.Images, nil
	}
	// It is for all images, and has to be right for those that were not asked for, too.
	here, err := c.render(template, c.images.Images[0])
	if err != nil {
		return nil, err
	}
	another := Ref{Name: "x", Image: "x", Repository: "x", Tag: "x", ImageID: "x"}
	if c.suite.TagGroup != "" {
		another.Tag = c.images.Images[0].Tag
	}
	if there, err := c.render(template, another); err != nil || here != there {
		return nil, &UsageError{
			fmt.Errorf("helm key %s needs every image of the suite, also %s; run: %s -o helm", key,
				strings.Join(missing, ", "), typed("ref", "", c.suite)),
		}
	}
	return c.images.Images, nil
}

func (c *chart) render(template string, image Ref) (string, error) {
	facts := c.facts
	facts.Name, facts.Consumer = image.Name, c.images.Consumer
	return config.HelmValue(template, config.HelmValues{
		TemplateValues: facts,
		Image:          image.Image, Repository: image.Repository, Tag: image.Tag, Digest: image.Digest,
		ImageID: image.ImageID,
	})
}

// value is what all the images agree on.
func (c *chart) value(key, template string, images []Ref) (string, error) {
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
		return "", &InconsistentError{fmt.Errorf("%s\ngive each its own key, like NAME.image.tag", message)}
	}
	for value := range values {
		return value, nil
	}
	return "", nil
}
