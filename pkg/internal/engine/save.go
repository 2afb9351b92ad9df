package engine

import (
	"context"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"k8s.io/klog/v2"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// Open returns the image as a source. present tells which layers nobody needs:
// where the engine can leave those out, it does.
func (i Image) Open(ctx context.Context, runner hostexec.Runner, nodes string, present func(digest.Digest) bool) (ociimage.Source, error) {
	whole := func() ociimage.Source { return i.stream(ctx, runner, nodes) }
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
			source, err := i.saveLayers(ctx, runner, nodes, present, whole)
			if err == nil || ctx.Err() != nil {
				return source, err
			}
			klog.FromContext(ctx).V(6).Info("the whole image is saved", "because", err.Error())
		}
	}
	if !i.isPodman {
		open := i.openStore
		if i.inContainerd {
			open = i.openPush
		}
		source, err := open(ctx, runner, whole)
		if err == nil || ctx.Err() != nil {
			return source, err
		}
		klog.FromContext(ctx).V(6).Info("the whole image is saved", "because", err.Error())
	}
	return whole(), nil
}

func (i Image) choice(nodes string) ociimage.Choice {
	choice := ociimage.Choice{Platform: nodes}
	choice.ID = digest.Digest(i.ImageID)
	return choice
}

// Known is what the engine says of the image before it sends it.
func (i Image) Known() ociimage.Image {
	return ociimage.Image{ID: digest.Digest(i.ImageID), DiffIDs: i.DiffIDs, Platform: i.Platform, Names: i.Names}
}

// canLeaveOut tells whether the engine saves single layers: podman skips those
// that the folder has already. It converts the config of an image in docker's
// format, which would change the image ID.
func (i Image) canLeaveOut() bool {
	return i.isPodman && i.manifestType == ocispec.MediaTypeImageManifest
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
