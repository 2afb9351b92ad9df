package config

import (
	"fmt"
	"maps"
	"slices"
)

// Build says how an image is built. Paths are absolute.
type Build struct {
	Context string
	// File is "" for the engine's default in Context.
	File   string
	Target string
	// Platform like linux/amd64, "" for the engine's own.
	Platform string
	// Args are templates; see RenderArgs.
	Args    map[string]string
	NoCache bool
	// Flags of each engine.
	Flags   map[string][]string
	Command []string
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
			found.add(said(fmt.Sprintf("build argument %s", key)), "%v", err)
		}
		rendered[key] = value
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	return rendered, nil
}
