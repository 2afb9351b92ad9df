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
	archive []byte
	// stayed is set when the exporter was let go by the end of its stdin.
	stayed   bool
	imported []byte
	fail     error
}

func (f *copyFake) Run(_ context.Context, command Command) error {
	if slices.Contains(command.Argv, "e2eimage-export") {
		if _, err := command.Stdout.Write(f.archive); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, command.Stdin)
		f.stayed = err == nil
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

func TestCopyKeepsTheExporterUntilTheArchiveIsThrough(t *testing.T) {
	t.Parallel()
	fake := &copyFake{archive: tarOf(t)}
	if err := clusterOf(fake, "a", "b").Copy(t.Context(), "a", "b", "localhost/x:1"); err != nil {
		t.Fatal(err)
	}
	if !fake.stayed {
		t.Error("the exporter was not let go by closing its stdin")
	}
	if !bytes.Equal(fake.imported, fake.archive) {
		t.Errorf("%d bytes arrived of %d", len(fake.imported), len(fake.archive))
	}
}

func TestCopyOfATruncatedArchiveFails(t *testing.T) {
	t.Parallel()
	whole := tarOf(t)
	fake := runnerFunc(func(_ context.Context, command Command) error {
		if slices.Contains(command.Argv, "e2eimage-export") {
			_, err := command.Stdout.Write(whole[:len(whole)/2])
			return err
		}
		_, err := io.ReadAll(command.Stdin)
		return err
	})
	err := clusterOf(fake, "a", "b").Copy(t.Context(), "a", "b", "localhost/x:1")
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
}

type runnerFunc func(context.Context, Command) error

func (f runnerFunc) Run(ctx context.Context, command Command) error { return f(ctx, command) }

func TestCopySaysWhyTheImportFailed(t *testing.T) {
	t.Parallel()
	fake := &copyFake{archive: tarOf(t), fail: errors.New("no space left on device")}
	err := clusterOf(fake, "a", "b").Copy(t.Context(), "a", "b", "localhost/x:1")
	if err == nil || !strings.Contains(err.Error(), "no space left on device") {
		t.Errorf("error %v", err)
	}
}
