package config

import (
	"fmt"
	"maps"
	"slices"
)

// Build says how an image is built. Paths are absolute.
type Build struct {
	Context string `yaml:"context"`
	// File is "" for the engine's default in Context.
	File   string `yaml:"file"`
	Target string `yaml:"target"`
	// Platform like linux/amd64, "" for the engine's own.
	Platform string `yaml:"platform"`
	// Args are templates; see RenderArgs.
	Args    map[string]string `yaml:"args"`
	NoCache bool              `yaml:"noCache"`
	// Flags of each engine are templates; see RenderFlags.
	Flags map[string][]string `yaml:"flags"`
	// Command builds the image instead of an engine. Its words are templates; see
	// RenderCommand.
	Command []string `yaml:"command"`
	// Dir is the folder of the file that says so: where Command runs.
	Dir string
}

// RenderArgs fills in the templates of Args: only a build needs their values.
func (b *Build) RenderArgs(values TemplateValues) (map[string]string, error) {
	rendered := make(map[string]string, len(b.Args))
	var found problems
	for _, key := range slices.Sorted(maps.Keys(b.Args)) {
		rendered[key] = found.render("build argument "+key, b.Args[key], tagFields(), HelmValues{TemplateValues: values})
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	return rendered, nil
}

// RenderFlags fills in the templates of an engine's Flags, in their order.
func (b *Build) RenderFlags(engine string, values TemplateValues) ([]string, error) {
	var rendered []string
	var found problems
	for i, flag := range b.Flags[engine] {
		rendered = append(rendered, found.render(fmt.Sprintf("build flag %s[%d]", engine, i), flag, tagFields(),
			HelmValues{TemplateValues: values}))
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	return rendered, nil
}

// RenderCommand fills in the templates of Command, each word by itself. Image, Repository
// and Tag are those that the command's image is to get; an ImageID there is not yet.
func (b *Build) RenderCommand(values HelmValues) ([]string, error) {
	var rendered []string
	var found problems
	for i, word := range b.Command {
		rendered = append(rendered, found.render(fmt.Sprintf("build command[%d]", i), word, commandFields(), values))
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	return rendered, nil
}

// render executes a template of a build, or notes why it cannot be.
func (p *problems) render(where, text string, allowed []string, values HelmValues) string {
	rendered, err := render(text, allowed, values)
	if err != nil {
		p.add(place{where: where}, "%v", err)
	}
	return rendered
}
