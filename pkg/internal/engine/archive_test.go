package engine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

func TestTheLongestPathThatIsThereIsTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, folder := range []string{"run-10:20:30", "job:17/layout", "plain"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"run-10:20:30/oci.tar", "x.tar", "x.tar:v1", "plain/a.tar"} {
		if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string][2]string{
		"run-10:20:30/oci.tar":                         {"run-10:20:30/oci.tar", ""},
		"run-10:20:30/oci.tar:localhost/case-app:v1":   {"run-10:20:30/oci.tar", "localhost/case-app:v1"},
		"run-10:20:30/oci.tar:localhost:5000/case-app": {"run-10:20:30/oci.tar", "localhost:5000/case-app"},
		"job:17/layout:v1":                             {"job:17/layout", "v1"},
		"job:17/layout":                                {"job:17/layout", ""},
		"x.tar:v1":                                     {"x.tar:v1", ""},
		"x.tar:v1:v1":                                  {"x.tar:v1", "v1"},
		"x.tar:v2":                                     {"x.tar", "v2"},
		"x.tar:docker.io/library/x:v2":                 {"x.tar", "docker.io/library/x:v2"},
		"x.tar:":                                       {"x.tar", ""},
		"plain/a.tar:a@sha256:" + strings.Repeat("a", 64): {"plain/a.tar", "a@sha256:" + strings.Repeat("a", 64)},
	} {
		path, name, err := splitArchive(filepath.Join(dir, text))
		if err != nil || path != filepath.Join(dir, want[0]) || name != want[1] {
			t.Errorf("%s is %s and %q, %v", text, path, name, err)
		}
	}
	for _, text := range []string{"none.tar", "none.tar:x:v1", "plain/none:17/x.tar:v1"} {
		if _, _, err := splitArchive(filepath.Join(dir, text)); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestACompressionThatIsNotReadIsSaidBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.tar.xz")
	if err := os.WriteFile(path, []byte("\xfd7zXZ\x00"+strings.Repeat("\x07", 4096)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := OpenArchive(t.Context(), config.Source{Kind: config.SourceOCIArchive, Value: path}, nil, "linux/amd64")
	if err == nil || !strings.Contains(err.Error(), path+": it is compressed with xz") || !strings.Contains(err.Error(), "xz -dc FILE |") {
		t.Errorf("error %v", err)
	}
}
