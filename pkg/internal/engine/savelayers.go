package engine

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// savedLayers is an image of which an engine saved only the layers that somebody
// lacked then.
type savedLayers struct {
	ociimage.Source
	present func(digest.Digest) bool
}

// Read implements ociimage.Source.
func (s *savedLayers) Read(ctx context.Context, to ociimage.Receiver) (ociimage.Image, error) {
	saved := &savedOnly{Receiver: to, present: s.present}
	image, err := s.Source.Read(ctx, saved)
	if err == nil && saved.short {
		err = errors.New("a layer went away from a node meanwhile")
	}
	return image, err
}

// savedOnly asks for no layer that was left out, and notes when one is lacked.
type savedOnly struct {
	ociimage.Receiver
	present func(digest.Digest) bool
	short   bool
}

// Wants implements ociimage.Receiver.
func (s *savedOnly) Wants(ctx context.Context, diffID digest.Digest) (bool, error) {
	wanted, err := s.Receiver.Wants(ctx, diffID)
	if err == nil && wanted && s.present(diffID) {
		s.short = true
		return false, nil
	}
	return wanted, err
}

// saveLayers lets podman save the image into a folder where a file of no bytes
// stands for each layer that is left out (containers/image, oci/layout:
// TryReusingBlob). No more than the missing layers is written.
func (i Image) saveLayers(ctx context.Context, runner hostexec.Runner, reading Reading) (ociimage.Source, error) {
	scratch, err := newScratch(ctx, runner)
	if err != nil {
		return nil, err
	}
	layout, err := i.saveInto(ctx, runner, scratch.dir, reading.Present)
	if err == nil {
		var source ociimage.Source
		if source, err = ociimage.OpenFolder(layout.FS(), i.choice(reading.Platform), closers{layout, scratch}); err == nil {
			return &savedLayers{Source: source, present: reading.Present}, nil
		}
		_ = layout.Close()
	}
	return nil, errors.Join(err, scratch.Close())
}

func (i Image) saveInto(ctx context.Context, runner hostexec.Runner, dir string,
	present func(digest.Digest) bool,
) (*os.Root, error) {
	blobs := filepath.Join(dir, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, ocispec.ImageLayoutFile), []byte(`{"imageLayoutVersion":"1.0.0"}`),
		0o644); err != nil {
		return nil, err
	}
	for _, diffID := range i.DiffIDs {
		if present(diffID) {
			if err := os.WriteFile(filepath.Join(blobs, diffID.Encoded()), nil, 0o644); err != nil {
				return nil, err
			}
		}
	}
	argv := []string{
		i.Engine, "save", "--quiet", "--uncompressed", "--format", "oci-dir", "--output", dir, "--",
		i.EngineID,
	}
	if err := runner.Run(ctx, hostexec.Command{Argv: argv, Stdout: io.Discard}); err != nil {
		return nil, err
	}
	return os.OpenRoot(dir)
}

// closers are closed one after the other.
type closers []io.Closer

// Close implements io.Closer.
func (c closers) Close() error {
	var all []error
	for _, one := range c {
		all = append(all, one.Close())
	}
	return errors.Join(all...)
}
