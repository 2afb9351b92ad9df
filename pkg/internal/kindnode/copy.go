package kindnode

import (
	"context"
	_ "embed" // for the scripts
	"errors"
	"fmt"
	"io"
	"os"
)

// Copy streams the image called name from one node to another, where it gets
// the same name. Nothing is stored on the host. The import is ended by closing
// its stdin, never by killing it.
func (c *Cluster) Copy(ctx context.Context, from, to, name string) error {
	_, err := finishBegun(ctx, func(running context.Context) (struct{}, error) {
		return struct{}{}, c.copy(ctx, running, from, to, name)
	})
	return err
}

// copy exports under ctx and imports under running, which outlives it.
func (c *Cluster) copy(ctx, running context.Context, from, to, name string) error {
	exporting, stop := context.WithCancel(ctx)
	defer stop()
	// The processes share the pipe itself: nobody has to read on for an import that has
	// ended while the engine is still about to end the export.
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	exported := make(chan error, 1)
	go func() {
		exported <- c.shell(exporting, from, exportImage, nil, writer, name)
		_ = writer.Close()
	}()
	imported := c.shell(running, to, importImage, reader, io.Discard)
	select {
	case err = <-exported:
	default:
		// Whatever the export says from here on follows from the end of the import.
		stop()
		_ = reader.Close()
		<-exported
	}
	_ = reader.Close()
	for _, cause := range []error{err, imported} {
		if cause != nil && !errors.Is(cause, context.Canceled) {
			return fmt.Errorf("copy %s from %s to %s: %w", name, from, to, cause)
		}
	}
	return context.Cause(ctx)
}

// What runs inside a node; values travel as arguments and over stdin only.
var (
	//go:embed scripts/export.sh
	exportScript string
	//go:embed scripts/import.sh
	importScript string
)

// script is a shell script and what its process is called in the node.
type script struct{ name, text string }

var (
	exportImage = script{"e2eimage-export", exportScript}
	importImage = script{"e2eimage-import", importScript}
)

// shell runs one of them in the node; values travel as arguments only.
func (c *Cluster) shell(ctx context.Context, node string, run script, stdin io.Reader, stdout io.Writer,
	args ...string,
) error {
	argv := append([]string{"sh", "-c", run.text, run.name}, args...)
	return c.exec(ctx, node, copyLimit, argv, stdin, stdout)
}
