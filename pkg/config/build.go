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
	Flags   map[string][]string `yaml:"flags"`
	Command []string            `yaml:"command"`
	// Dir is the folder of the file that says so: where Command runs.
	Dir string
}

// RenderArgs fills in the templates of Args: only a build needs their values.
func (b *Build) RenderArgs(values TemplateValues) (map[string]string, error) {
	rendered := make(map[string]string, len(b.Args))
	var found problems
	for _, key := range slices.Sorted(maps.Keys(b.Args)) {
		rendered[key] = found.render("build argument "+key, b.Args[key], values)
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
		rendered = append(rendered, found.render(fmt.Sprintf("build flag %s[%d]", engine, i), flag, values))
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	return rendered, nil
}

// render executes a template of a build, or notes why it cannot be.
func (p *problems) render(where, text string, values TemplateValues) string {
	rendered, err := render(text, tagFields(), HelmValues{TemplateValues: values})
	if err != nil {
		p.add(place{where: where}, "%v", err)
	}
	return rendered
}
