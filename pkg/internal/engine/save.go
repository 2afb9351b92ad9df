package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"k8s.io/klog/v2"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// Open returns the image as a source. present tells which layers nobody needs:
// where the engine can leave those out, it does.
func (i Image) Open(ctx context.Context, runner hostexec.Runner, nodes string, present func(digest.Digest) bool) (ociimage.Source, error) {
	if i.canLeaveOut() {
		missing := 0
		for _, diffID := range i.DiffIDs {
			if !present(diffID) {
				missing++
			}
		}
		if missing < len(i.DiffIDs) {
			// Where that is not possible, as with a podman in a virtual machine, it
			// sends the whole.
			source, err := i.saveLayers(ctx, runner, nodes, present)
			if err == nil || ctx.Err() != nil {
				return source, err
			}
			klog.FromContext(ctx).V(6).Info("the whole image is saved", "because", err.Error())
		}
	}
	if !i.isPodman && i.idIsConfig {
		whole := func() ociimage.Source { return i.stream(ctx, runner, nodes) }
		source, err := i.openStore(ctx, runner, whole)
		if err == nil || ctx.Err() != nil {
			return source, err
		}
		klog.FromContext(ctx).V(6).Info("the whole image is saved", "because", err.Error())
	}
	return i.stream(ctx, runner, nodes), nil
}

func (i Image) choice(nodes string) ociimage.Choice {
	choice := ociimage.Choice{Platform: nodes}
	if i.idIsConfig {
		choice.ID = digest.Digest(i.EngineID)
	}
	return choice
}

// Known is what the engine says of the image before it sends it.
func (i Image) Known() ociimage.Image {
	image := ociimage.Image{DiffIDs: i.DiffIDs, Platform: i.Platform, Names: i.Names}
	if i.idIsConfig {
		image.ID = digest.Digest(i.EngineID)
	}
	return image
}

// canLeaveOut tells whether the engine saves single layers: podman skips those
// that the folder has already. It converts the config of an image in docker's
// format, which would change the image ID.
func (i Image) canLeaveOut() bool {
	return i.isPodman && i.manifestType == ocispec.MediaTypeImageManifest
}

// saveLayers lets podman save the image into a folder where a file of no bytes
// stands for each layer that is left out (containers/image, oci/layout:
// TryReusingBlob). No more than the missing layers is written.
func (i Image) saveLayers(ctx context.Context, runner hostexec.Runner, nodes string, present func(digest.Digest) bool) (ociimage.Source, error) {
	dir, err := os.MkdirTemp("", "e2eimage-layers-")
	if err != nil {
		return nil, err
	}
	layout, err := i.saveInto(ctx, runner, dir, present)
	if err == nil {
		var source ociimage.Source
		if source, err = ociimage.OpenFolder(layout.FS(), i.choice(nodes), closers{layout, removal(dir)}); err == nil {
			return source, nil
		}
		_ = layout.Close()
	}
	return nil, errors.Join(err, os.RemoveAll(dir))
}

func (i Image) saveInto(ctx context.Context, runner hostexec.Runner, dir string, present func(digest.Digest) bool) (*os.Root, error) {
	blobs := filepath.Join(dir, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, ocispec.ImageLayoutFile), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644); err != nil {
		return nil, err
	}
	for _, diffID := range i.DiffIDs {
		if present(diffID) {
			if err := os.WriteFile(filepath.Join(blobs, diffID.Encoded()), nil, 0o644); err != nil {
				return nil, err
			}
		}
	}
	argv := []string{i.Engine, "save", "--quiet", "--uncompressed", "--format", "oci-dir", "--output", dir, "--", i.EngineID}
	if err := runner.Run(ctx, hostexec.Command{Argv: argv, Stdout: io.Discard}); err != nil {
		return nil, err
	}
	return os.OpenRoot(dir)
}

// stream lets the engine save the whole image and reads it as it comes.
func (i Image) stream(ctx context.Context, runner hostexec.Runner, nodes string) ociimage.Source {
	ctx, stop := context.WithCancel(ctx)
	reader, writer := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		argv := []string{i.Engine, "save", "--", i.EngineID}
		if i.isPodman {
			argv = []string{i.Engine, "save", "--quiet", "--", i.EngineID}
		}
		err := runner.Run(ctx, hostexec.Command{Argv: argv, Stdout: writer})
		if err != nil {
			err = fmt.Errorf("the engine broke off: %w", err)
		}
		_ = writer.CloseWithError(err)
	}()
	return ociimage.OpenStream(reader, i.choice(nodes), i.Known(), closing(func() error {
		stop()
		_ = reader.Close()
		<-done
		return nil
	}))
}

// Remove takes the image's name, or the image, out of the engine, unless it stands
// for another one by now.
func (i Image) Remove(ctx context.Context, runner hostexec.Runner) error {
	now, err := Find(ctx, runner, i.Engine, i.Reference)
	if err != nil {
		return err
	}
	if now.EngineID != i.EngineID {
		return fmt.Errorf("%s was built anew meanwhile: it is %s now instead of %s", i.Reference, ociimage.ShortID(now.EngineID), ociimage.ShortID(i.EngineID))
	}
	return runner.Run(ctx, hostexec.Command{Argv: []string{i.Engine, "image", "rm", "--", i.Reference}, Stdout: io.Discard})
}

// closing is a function that is called on Close.
type closing func() error

// Close implements io.Closer.
func (c closing) Close() error { return c() }

func removal(dir string) io.Closer { return closing(func() error { return os.RemoveAll(dir) }) }

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
