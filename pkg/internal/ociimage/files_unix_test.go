//go:build unix

package ociimage

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestALayoutWhoseFilesArePipesIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	const blob = "475bdb9ac052e9aeb18434c3ab60a8ca80f56cedd57e615f28a777cba6de5352"
	for name, pipe := range map[string]string{
		"the index": "index.json",
		"a blob":    "blobs/sha256/" + blob,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755); err != nil {
				t.Fatal(err)
			}
			index := `{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":3,"digest":"sha256:` + blob + `"}]}`
			if err := os.WriteFile(filepath.Join(dir, "index.json"), []byte(index), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(filepath.Join(dir, pipe)); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Mkfifo(filepath.Join(dir, pipe), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := OpenFolder(os.DirFS(dir), Choice{Platform: "linux/amd64"}, io.NopCloser(nil))
			if err == nil || !strings.Contains(err.Error(), "no regular file") {
				t.Errorf("error %v", err)
			}
		})
	}
}
