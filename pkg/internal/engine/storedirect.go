package engine

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// directFiles reads an engine's store as files of this host, which root may.
type directFiles struct{ *stored }

// openDirect tries whether this process may read the image's files.
func openDirect(at *stored) (*directFiles, error) {
	direct := &directFiles{at}
	if _, err := direct.config(); err != nil {
		return nil, err
	}
	for _, layer := range at.layers {
		for _, path := range []string{layer.files, layer.description} {
			if _, err := os.Stat(path); err != nil {
				return nil, err
			}
		}
	}
	return direct, nil
}

func (d *directFiles) config() ([]byte, error) {
	file, err := os.Open(d.stored.config)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, ociimage.MaxMetadata))
	return text, errors.Join(err, file.Close())
}

func (d *directFiles) layer(n int) (io.ReadCloser, error) {
	description, err := os.Open(d.layers[n].description)
	if err != nil {
		return nil, err
	}
	plain, err := gzip.NewReader(description)
	if err != nil {
		return nil, errors.Join(err, description.Close())
	}
	root, err := os.OpenRoot(d.layers[n].files)
	if err != nil {
		return nil, errors.Join(err, description.Close())
	}
	tar := assemble(plain, rootGetter{root})
	return struct {
		io.Reader
		io.Closer
	}{tar, closers{tar, description, root}}, nil
}

// Close implements storeFiles.
func (d *directFiles) Close() error { return nil }

// open is storedImage's, with nothing to prepare.
func (d *directFiles) open(context.Context, []int) (storeFiles, error) { return d, nil }

// rootGetter opens a layer's files; none leads out of the layer.
type rootGetter struct{ *os.Root }

// Get implements storage.FileGetter.
func (g rootGetter) Get(name string) (io.ReadCloser, error) {
	local, err := localName(name)
	if err != nil {
		return nil, err
	}
	return g.Open(local)
}
