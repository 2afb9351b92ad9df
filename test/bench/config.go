package main

import (
	"os"
	"strings"
)

// writeConfig writes an e2eimage.yaml whose images share one source.
func writeConfig(file string, names []string) error {
	var b strings.Builder
	b.WriteString("apiVersion: e2eimage.dev/v1alpha1\nkind: Config\nimages:\n")
	for _, name := range names {
		b.WriteString("- {name: " + name + ", source: \"" + source + "\"}\n")
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}
