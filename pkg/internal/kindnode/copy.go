package kindnode

import (
	"context"
	"errors"
	"io"
)

// Copy streams the image called name from one node to another, where it gets
// the same name. Nothing is stored on the host. The import is ended by closing
// its stdin, never by killing it.
func (c *Cluster) Copy(ctx context.Context, from, to, name string) error {
	_, err := settle(ctx, func(running context.Context) (struct{}, error) {
		reader, writer := io.Pipe()
		exporting, stop := context.WithCancel(ctx)
		exported := make(chan error, 1)
		go func() {
			export := []string{"ctr", "--namespace", "k8s.io", "images", "export", "-", name}
			err := c.exec(exporting, from, copyLimit, export, nil, writer)
			_ = writer.CloseWithError(err)
			exported <- err
		}()
		imported := c.script(running, to, "import", reader, io.Discard)
		_ = reader.CloseWithError(imported)
		stop()
		return struct{}{}, errors.Join(imported, <-exported)
	})
	return err
}
