//go:build unix

package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

const recordedLine = "localhost/datastorage:suite-a1b2c3d4\n"

func TestALinksTargetIsReplacedAndTheLinkStays(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.read = recordedOne()
	c.write("real/images.env", "old\n")
	for link, target := range map[string]string{
		"direct": "real/images.env", "again": "direct", "folder": "real", "below/up": "../real/images.env", "new": "real/new.env",
		"absolute": filepath.Join(c.dir, "real", "images.env"), "real/twisted": "../folder/../real/images.env",
	} {
		c.write("below/.keep", "")
		if err := os.Symlink(target, filepath.Join(c.dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(c.dir, "real", "images.env"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"direct", "again", "folder/images.env", "below/up", "new", "absolute", "folder/twisted"} {
		want := filepath.Join(c.dir, "real", "images.env")
		if path == "new" {
			want = filepath.Join(c.dir, "real", "new.env")
		}
		before, _ := os.Lstat(filepath.Join(c.dir, path))
		c.done("ref datastorage --output-file " + path)
		text, err := os.ReadFile(want)
		after, statErr := os.Lstat(filepath.Join(c.dir, path))
		if err = errors.Join(err, statErr); err != nil || string(text) != recordedLine || before.Mode()&fs.ModeSymlink != after.Mode()&fs.ModeSymlink {
			t.Errorf("%s: %q, %v, was %v", path, text, err, before.Mode())
		}
		if info, err := os.Stat(want); err != nil || path != "new" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", path, info.Mode(), err)
		}
		if err := os.WriteFile(want, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("loop", filepath.Join(c.dir, "loop")); err != nil {
		t.Fatal(err)
	}
	c.fails("ref datastorage --output-file loop", exitFailed, "too many links")
}

func TestWhatIsNoRegularFileIsWrittenTo(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.read = recordedOne()
	pipe, device := filepath.Join(c.dir, "pipe"), filepath.Join(c.dir, "null")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.Symlink("/dev/null", device)); err != nil {
		t.Fatal(err)
	}
	read := make(chan string, 1)
	go func() {
		text, err := os.ReadFile(pipe)
		read <- string(text) + errorText(err)
	}()
	c.done("ref datastorage --output-file pipe")
	if got := <-read; got != recordedLine {
		t.Errorf("the pipe's reader got %q", got)
	}
	c.done("ref datastorage --output-file null")
	for path, want := range map[string]fs.FileMode{pipe: fs.ModeNamedPipe, "/dev/null": fs.ModeDevice} {
		if info, err := os.Stat(path); err != nil || info.Mode()&want == 0 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if info, err := os.Lstat(device); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	c.write("folder/.keep", "")
	c.fails("ref datastorage --output-file folder", exitFailed, "is a directory")
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestStandardOutputAsAFileIsStandardOutput(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.read = recordedOne()
	if err := os.Symlink("/proc/self/fd/1", filepath.Join(c.dir, "stdout")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "stdout"} {
		c.out.Reset()
		c.done("ref datastorage --output-file " + path)
		if got := c.out.String(); got != recordedLine {
			t.Errorf("%s: stdout has %q", path, got)
		}
	}
	c.done("ref datastorage --output-file /dev/stderr")
	if got := c.errOut.String(); got != recordedLine {
		t.Errorf("stderr has %q", got)
	}
}

func TestAPipeThatNobodyReadsIsGivenUpWithTheRun(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := (output{path: pipe, mode: fs.ModeNamedPipe}).write(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	// Whoever still waits may go.
	reader, err := os.OpenFile(pipe, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = reader.Close()
}
