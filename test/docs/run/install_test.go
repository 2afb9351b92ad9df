package run

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// releases serves a release with an archive of the plugin, and with these checksums.
func releases(t *testing.T, wrong bool) *httptest.Server {
	t.Helper()
	plugin, err := os.ReadFile(filepath.Join(reader.bin, "kubectl-e2eimage"))
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	compressed, err := gzip.NewWriterLevel(&archive, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	files := tar.NewWriter(compressed)
	if err := files.WriteHeader(&tar.Header{Name: "kubectl-e2eimage", Mode: 0o755, Size: int64(len(plugin))}); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{write(files, plugin), files.Close(), compressed.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	name := fmt.Sprintf("kubectl-e2eimage_%s_%s.tar.gz", runtime.GOOS, runtime.GOARCH)
	sum := fmt.Sprintf("%x", sha256.Sum256(archive.Bytes()))
	if wrong {
		sum = strings.Repeat("0", 64)
	}
	mux := http.NewServeMux()
	for _, from := range []string{"/download/v0.3.0/", "/latest/download/"} {
		mux.HandleFunc(from+name, func(w http.ResponseWriter, _ *http.Request) { _ = write(w, archive.Bytes()) })
		mux.HandleFunc(from+"checksums.txt", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "%s  %s\n", sum, name) })
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func write(w interface{ Write([]byte) (int, error) }, data []byte) error {
	_, err := w.Write(data)
	return err
}

func TestTheActionInstallsWhatTheChecksumsName(t *testing.T) {
	for name, c := range map[string]struct {
		version string
		wrong   bool
		outcome string
	}{
		"a release":                {version: "v0.3.0", outcome: "success"},
		"the latest":               {outcome: "success"},
		"an archive of others":     {version: "v0.3.0", wrong: true, outcome: "failure"},
		"a release that is not":    {version: "v9.9.9", outcome: "failure"},
		"a version that is a path": {version: "../../v0.3.0", outcome: "failure"},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJob(t, map[string]string{"version": c.version})
			out := j.step("Install kubectl e2eimage", "RELEASES="+releases(t, c.wrong).URL)
			if j.outcome != c.outcome {
				t.Errorf("%s: %s", j.outcome, out)
			}
			if path := j.read("GITHUB_PATH"); (path != "") != (c.outcome == "success") {
				t.Errorf("on PATH comes %q", path)
			}
		})
	}
}
