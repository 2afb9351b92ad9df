package kindnode

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// copyFake plays the exporting and the importing node.
type copyFake struct {
	exported []byte
	imported []byte
	fail     error
}

func (f *copyFake) Run(_ context.Context, command Command) error {
	if slices.Contains(command.Argv, "e2eimage-export") {
		_, err := command.Stdout.Write(f.exported)
		return err
	}
	if f.fail != nil {
		return f.fail
	}
	var err error
	f.imported, err = io.ReadAll(command.Stdin)
	return err
}

func tarOf(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	content := strings.Repeat("layer", 20000)
	if err := w.WriteHeader(&tar.Header{Name: "blobs/sha256/1", Size: int64(len(content)), Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestCopyEndsWithTheArchiveNotWithTheStream(t *testing.T) {
	t.Parallel()
	archive := tarOf(t)
	for name, lost := range map[string]int{"all zeros arrive": 0, "the engine loses the last of them": 64 << 10} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := &copyFake{exported: append(slices.Clone(archive), make([]byte, 1<<20-lost)...)}
			if err := clusterOf(fake, "a", "b").Copy(t.Context(), "a", "b", "localhost/x:1"); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(fake.imported, archive) {
				t.Errorf("%d bytes arrived of %d", len(fake.imported), len(archive))
			}
		})
	}
}

func TestCopyOfATruncatedArchiveFails(t *testing.T) {
	t.Parallel()
	whole := tarOf(t)
	fake := &copyFake{exported: whole[:len(whole)/2]}
	err := clusterOf(fake, "a", "b").Copy(t.Context(), "a", "b", "localhost/x:1")
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
}

func TestCopySaysWhyTheImportFailed(t *testing.T) {
	t.Parallel()
	fake := &copyFake{exported: tarOf(t), fail: errors.New("no space left on device")}
	err := clusterOf(fake, "a", "b").Copy(t.Context(), "a", "b", "localhost/x:1")
	if err == nil || !strings.Contains(err.Error(), "no space left on device") {
		t.Errorf("error %v", err)
	}
}
