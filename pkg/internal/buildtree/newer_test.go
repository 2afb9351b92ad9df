package buildtree

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFilesThatAreNewerAreNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"Dockerfile": "FROM scratch\n", "main.go": "x", "sub/other.go": "x", ".dockerignore": "left\n", "left": "x", ".e2eimage/a.lock.yaml": "x"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tree := Tree{Engine: podman, Context: dir}
	all, err := tree.Newer(t.Context(), time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{".dockerignore", "Dockerfile", "main.go", "sub/other.go"}, all); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if none, err := tree.Newer(t.Context(), time.Now().Add(time.Hour)); len(none) > 0 || err != nil {
		t.Errorf("newer than in an hour: %v, %v", none, err)
	}
}

func TestAModificationTimeThatWasPutBackHidesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, long := filepath.Join(dir, "main.go"), time.Now().Add(-24*time.Hour)
	if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, long, long); err != nil {
		t.Fatal(err)
	}
	got, err := Tree{Engine: podman, Context: dir}.Newer(t.Context(), time.Now().Add(-time.Hour))
	if diff := cmp.Diff([]string{"main.go"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
