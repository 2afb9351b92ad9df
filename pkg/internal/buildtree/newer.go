package buildtree

import (
	"context"
	"hash"
	"hash/fnv"
	"io/fs"
	"path/filepath"
	"time"
)

// Newer are the files that were written after a time, as paths from the context, or as
// they are where they are outside. Files that are gone it does not know.
func (t Tree) Newer(ctx context.Context, since time.Time) ([]string, error) {
	left, err := t.leftOut()
	if err != nil {
		return nil, err
	}
	var newer []string
	seen := map[string]bool{}
	note := func(_ hash.Hash, path string, info fs.FileInfo) error {
		if name := t.shown(path); ChangedAt(path, info).After(since) && !seen[name] {
			seen[name] = true
			newer = append(newer, name)
		}
		return nil
	}
	// The digest is nobody's.
	err = walk(ctx, fnv.New32(), t.Context, left, note)
	for _, path := range append(t.dockerfiles(), t.Also...) {
		if err == nil {
			err = walk(ctx, fnv.New32(), path, nil, note)
		}
	}
	return newer, err
}

// shown is a path as a user of the context writes it.
func (t Tree) shown(path string) string {
	root, err := filepath.EvalSymlinks(t.Context)
	if err != nil {
		return path
	}
	if name, err := filepath.Rel(root, path); err == nil && filepath.IsLocal(name) {
		return name
	}
	return path
}
