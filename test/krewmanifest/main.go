// Command krewmanifest fills in plugins/krew.yaml, as krew-release-bot does it for a
// release, with the checksums of the archives that are in a folder:
//
//	krewmanifest TEMPLATE DIST
//
// It writes to standard output. What the manifest says of archives that are not in the
// folder is left out.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "krewmanifest:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: krewmanifest TEMPLATE DIST")
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(args[1], "checksums.txt"))
	if err != nil {
		return fmt.Errorf("%w\nmake dist makes it", err)
	}
	about, err := os.ReadFile(filepath.Join(args[1], "metadata.json"))
	if err != nil {
		return fmt.Errorf("%w\nmake dist makes it", err)
	}
	var metadata struct{ Version string }
	if err := json.Unmarshal(about, &metadata); err != nil || metadata.Version == "" {
		return fmt.Errorf("no version in %s: %v", about, err)
	}
	manifest, err := filledIn(string(text), "v"+metadata.Version, checksums(string(sums)))
	if err != nil {
		return err
	}
	_, err = os.Stdout.WriteString(manifest)
	return err
}
