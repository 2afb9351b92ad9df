//go:build linux || darwin

package buildtree

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestExtendedAttributesCount(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "main.go")
	write(t, dir, "main.go", "package main")
	metadata, content := digests(t, Tree{Context: dir})
	if err := unix.Setxattr(path, "user.e2eimage", []byte("x"), 0); err != nil {
		t.Logf("this file system has none: %v", err)
		return
	}
	newMetadata, newContent := digests(t, Tree{Context: dir})
	if newMetadata == metadata || newContent == content {
		t.Errorf("metadata is the same: %v, content: %v", newMetadata == metadata, newContent == content)
	}
}
