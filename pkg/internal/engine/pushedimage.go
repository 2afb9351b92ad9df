package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/opencontainers/go-digest"
	"k8s.io/klog/v2"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// pushedImage is an image of which docker pushes only the layers that are wanted.
type pushedImage struct {
	image    Image
	runner   hostexec.Runner
	manifest *pushedManifest
	known    ociimage.Image
	// whole is what to read where it cannot be pushed.
	whole func() ociimage.Source
}

var _ ociimage.Source = (*pushedImage)(nil)

// openPush returns the image as a source that docker pushes.
func (i Image) openPush(ctx context.Context, runner hostexec.Runner, whole func() ociimage.Source) (ociimage.Source, error) {
	manifest, err := i.askManifest(ctx, runner)
	if err != nil {
		return nil, err
	}
	known := i.Known()
	known.ID = manifest.Config.Digest
	return &pushedImage{image: i, runner: runner, manifest: manifest, known: known, whole: whole}, nil
}

// Image implements ociimage.Source.
func (p *pushedImage) Image() (ociimage.Image, bool) { return p.known, true }

// Close implements ociimage.Source.
func (p *pushedImage) Close() error { return nil }

// Read implements ociimage.Source. What cannot be pushed comes with the whole image.
func (p *pushedImage) Read(ctx context.Context, to ociimage.Receiver) (ociimage.Image, error) {
	image, err := p.receive(ctx, to)
	if err == nil || ctx.Err() != nil {
		return image, err
	}
	klog.FromContext(ctx).V(6).Info("the whole image is saved", "because", err.Error())
	whole := p.whole()
	defer func() { _ = whole.Close() }()
	return whole.Read(ctx, to)
}

func (p *pushedImage) receive(ctx context.Context, to ociimage.Receiver) (ociimage.Image, error) {
	// docker pushes several layers at once, and a receiver takes one at a time.
	var turn sync.Mutex
	var config []byte
	came := map[digest.Digest]bool{}
	wants := func(blob digest.Digest) (bool, error) {
		if blob == p.known.ID {
			return true, nil
		}
		diffID, known := p.manifest.layers[blob]
		if !known || came[diffID] {
			return false, nil
		}
		return to.Wants(ctx, diffID)
	}
	target, err := listen(
		func(_ context.Context, blob digest.Digest) (bool, error) {
			turn.Lock()
			defer turn.Unlock()
			wanted, err := wants(blob)
			return !wanted, err
		},
		func(_ context.Context, blob digest.Digest, content io.Reader) (err error) {
			turn.Lock()
			defer turn.Unlock()
			wanted, err := wants(blob)
			switch {
			case err != nil:
				return err
			case !wanted:
				_, err = io.Copy(io.Discard, content)
				return err
			case blob == p.known.ID:
				config, err = io.ReadAll(io.LimitReader(content, ociimage.MaxMetadata))
				return err
			}
			diffID := p.manifest.layers[blob]
			plain, err := ociimage.Decompressed(content)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, plain.Close()) }()
			if _, err = to.Layer(ctx, diffID, plain); err == nil {
				came[diffID] = true
			}
			return err
		})
	if err != nil {
		return p.known, err
	}
	defer target.Close()
	if err := p.image.push(ctx, p.runner, target); err != nil {
		return p.known, err
	}
	return p.check(ctx, to, config, came)
}

// check sees to it that all came that is wanted, and that it is the image it is to be.
func (p *pushedImage) check(ctx context.Context, to ociimage.Receiver, config []byte, came map[digest.Digest]bool) (ociimage.Image, error) {
	image, err := ociimage.ParseConfig(config)
	if err != nil {
		return p.known, err
	}
	if image.ID != p.known.ID {
		return p.known, &ociimage.ContentError{What: "its config", Want: p.known.ID, Got: image.ID}
	}
	if len(image.DiffIDs) != len(p.image.DiffIDs) {
		return p.known, fmt.Errorf("the image has %d layers, and its engine says %d", len(image.DiffIDs), len(p.image.DiffIDs))
	}
	for n, diffID := range image.DiffIDs {
		if diffID != p.image.DiffIDs[n] {
			return p.known, fmt.Errorf("layer %d of the image is %s, and its engine says %s", n, ociimage.ShortID(diffID.String()), ociimage.ShortID(p.image.DiffIDs[n].String()))
		}
		if came[diffID] {
			continue
		}
		wanted, err := to.Wants(ctx, diffID)
		if err == nil && wanted {
			err = fmt.Errorf("the engine did not push layer %s", ociimage.ShortID(diffID.String()))
		}
		if err != nil {
			return p.known, err
		}
	}
	image.Names = p.image.Names
	return image, nil
}
