package kindnode

import (
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
	reader, writer := io.Pipe()
	exported := make(chan error, 1)
	go func() {
		err := c.shell(exporting, from, exportImage, nil, writer, name)
		_ = writer.CloseWithError(err)
		exported <- err
	}()
	imported := c.shell(running, to, importImage, reader, io.Discard)
	_ = reader.CloseWithError(io.ErrClosedPipe)
	stop()
	// The one that did not just follow the other's end is the cause.
	for _, cause := range []error{<-exported, imported} {
		if cause != nil && !errors.Is(cause, context.Canceled) && !errors.Is(cause, io.ErrClosedPipe) {
			return fmt.Errorf("copy %s from %s to %s: %w", name, from, to, cause)
		}
	}
	return context.Cause(ctx)
}

// script is a shell script and what its process is called in the node.
type script struct{ name, text string }

var (
	exportImage = script{"e2eimage-export", exportScript}
	importImage = script{"e2eimage-import", importScript}
)

// shell runs one of them in the node; values travel as arguments only.
func (c *Cluster) shell(ctx context.Context, node string, run script, stdin io.Reader, stdout io.Writer, args ...string) error {
	argv := append([]string{"sh", "-c", run.text, run.name}, args...)
	return c.exec(ctx, node, copyLimit, argv, stdin, stdout)
}
