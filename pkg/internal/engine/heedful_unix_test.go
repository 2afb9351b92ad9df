//go:build unix

package engine

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

func TestReadingEndsWithItsContextThoughNobodyWrites(t *testing.T) {
	t.Parallel()
	named := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(named, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, source := range map[string]config.Source{
		"standard input": {Kind: config.SourceStdin},
		"a named pipe":   {Kind: config.SourceDockerArchive, Value: named},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stopped := errors.New("stopped")
			ctx, cancel := context.WithCancelCause(t.Context())
			reads, writes := io.Pipe()
			defer func() { _ = errors.Join(reads.Close(), writes.Close()) }()
			time.AfterFunc(100*time.Millisecond, func() { cancel(stopped) })
			archive, err := OpenArchive(ctx, source, reads, "linux/amd64")
			if err == nil {
				_, err = archive.Read(ctx, nil)
			}
			if !errors.Is(err, stopped) {
				t.Errorf("%v", err)
			}
		})
	}
}
