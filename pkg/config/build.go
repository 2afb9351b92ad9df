package config

import (
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
	// Flags of each engine.
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
		value, err := render(b.Args[key], tagFields(), HelmValues{TemplateValues: values})
		if err != nil {
			found.add(place{where: "build argument " + key}, "%v", err)
		}
		rendered[key] = value
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	return rendered, nil
}
