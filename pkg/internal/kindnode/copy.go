package kindnode

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
)

// Copy streams the image called name from one node to another, where it gets
// the same name. Nothing is stored on the host. The import is ended by closing
// its stdin, never by killing it.
func (c *Cluster) Copy(ctx context.Context, from, to, name string) error {
	_, err := settle(ctx, func(running context.Context) (struct{}, error) {
		return struct{}{}, c.copy(ctx, running, from, to, name)
	})
	return err
}

// copy exports under ctx and imports under running, which outlives it.
func (c *Cluster) copy(ctx, running context.Context, from, to, name string) error {
	exporting, stop := context.WithCancel(ctx)
	defer stop()
	exported, archive := io.Pipe()
	received, send := io.Pipe()

	exportDone, passDone := make(chan error, 1), make(chan error, 1)
	go func() {
		err := c.script(exporting, from, "export", nil, archive, name)
		_ = archive.CloseWithError(err)
		exportDone <- err
	}()
	go func() {
		err := passArchive(exported, send)
		_ = send.CloseWithError(err)
		_, _ = io.Copy(io.Discard, exported)
		passDone <- err
	}()
	imported := c.script(running, to, "import", received, io.Discard)
	_ = received.CloseWithError(io.ErrClosedPipe)
	if imported != nil {
		stop()
	}
	passed, exportErr := <-passDone, <-exportDone
	// The first in the chain that did not just follow another's end is the cause.
	for _, cause := range []error{exportErr, imported, passed} {
		if cause != nil && (exporting.Err() == nil || !errors.Is(cause, context.Canceled)) {
			return fmt.Errorf("copy %s from %s to %s: %w", name, from, to, cause)
		}
	}
	return context.Cause(ctx)
}

// passArchive copies a tar archive and returns when its end has passed: the end
// of the stream comes later (see scripts/export.sh), or too early.
func passArchive(from io.Reader, to io.Writer) error {
	archive := tar.NewReader(io.TeeReader(from, to))
	for {
		switch _, err := archive.Next(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("the exported archive is broken: %w", err)
		}
	}
}
