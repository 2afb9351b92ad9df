package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"k8s.io/klog/v2"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// Reading is how an image is read from its engine.
type Reading struct {
	// Platform of the nodes.
	Platform string
	// Present tells which layers nobody needs: where the engine can leave those out, it
	// does.
	Present func(diffID digest.Digest) bool
	// Helper is an image with perl that the same engine has, "" for none.
	Helper string
	// Whole is told why the engine saves the whole image where it could leave layers out.
	Whole func(why error)
}

// Open returns the image as a source.
func (i Image) Open(ctx context.Context, runner hostexec.Runner, reading Reading) (ociimage.Source, error) {
	open := i.openStore
	switch {
	case i.isPodman:
		open = i.openPodman
	case i.inContainerd:
		open = i.openPush
	}
	layers, err := open(ctx, runner, reading)
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	whole := func(why error) ociimage.Source {
		if why != nil {
			reading.Whole(why)
		}
		return i.stream(ctx, runner, reading.Platform)
	}
	if layers == nil {
		return whole(err), nil
	}
	return &orWhole{Source: layers, whole: whole}, nil
}

// openPodman returns an image of podman: out of its store, which root may read, else as
// podman saves single layers. It returns nil where every layer is missing: then podman is
// quicker with the whole.
func (i Image) openPodman(ctx context.Context, runner hostexec.Runner, reading Reading) (ociimage.Source, error) {
	if i.stored != nil {
		direct, err := openDirect(i.stored)
		if err == nil {
			return &storedImage{image: i, open: direct.open}, nil
		}
		klog.FromContext(ctx).V(6).Info("podman saves the image", "because", err.Error())
	}
	switch {
	case !slices.ContainsFunc(i.DiffIDs, reading.Present):
		return nil, nil
	case !i.canLeaveOut():
		return nil, errors.New("it is in docker's format, which podman cannot save in part")
	}
	return i.saveLayers(ctx, runner, reading)
}

// openStore returns an image in docker's own store, which this process reads if it may,
// else a container.
func (i Image) openStore(_ context.Context, runner hostexec.Runner, reading Reading) (ociimage.Source, error) {
	if i.stored == nil {
		return nil, errors.New("docker does not say where its layers are")
	}
	direct, err := openDirect(i.stored)
	switch {
	case err == nil:
		return &storedImage{image: i, open: direct.open}, nil
	case reading.Helper == "":
		return nil, fmt.Errorf("docker's store cannot be read: %w", err)
	}
	return &storedImage{image: i, open: func(ctx context.Context, layers []int) (storeFiles, error) {
		return i.openContainer(ctx, runner, reading.Helper, layers)
	}}, nil
}

// orWhole is a source of single layers, for which the whole image stands in: a layer can
// just be removed, or be kept otherwise than is known here.
type orWhole struct {
	ociimage.Source
	whole func(why error) ociimage.Source
}

// Read implements ociimage.Source.
func (o *orWhole) Read(ctx context.Context, to ociimage.Receiver) (ociimage.Image, error) {
	image, err := o.Source.Read(ctx, to)
	if err == nil || ctx.Err() != nil {
		return image, err
	}
	if _, failed := to.Wants(ctx, ""); failed != nil {
		// Nobody is left to take it.
		return image, err
	}
	whole := o.whole(err)
	defer func() { _ = whole.Close() }()
	return whole.Read(ctx, to)
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
		return fmt.Errorf("%s was rebuilt meanwhile: it is %s now instead of %s", i.Reference,
			ociimage.ShortID(now.EngineID), ociimage.ShortID(i.EngineID))
	}
	err = runner.Run(ctx, hostexec.Command{Argv: []string{i.Engine, "image", "rm", "--", i.Reference}, Stdout: io.Discard})
	if err == nil && i.temporary != nil {
		err = i.temporary.Close()
	}
	return err
}

// closing is a function that is called on Close.
type closing func() error

// Close implements io.Closer.
func (c closing) Close() error { return c() }
