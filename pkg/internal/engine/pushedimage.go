package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// pushedImage is an image of which docker pushes only the layers that are wanted.
type pushedImage struct {
	pushing *pushing
	// close ends pushing.
	close    func() error
	manifest *pushedManifest
	known    ociimage.Image
}

var _ ociimage.Source = (*pushedImage)(nil)

// openPush returns the image as a source that docker pushes.
func (i Image) openPush(ctx context.Context, runner hostexec.Runner, _ Reading) (ociimage.Source, error) {
	p, err := i.startPushing(ctx, runner)
	if err != nil {
		return nil, err
	}
	manifest, err := p.manifest(ctx)
	if err != nil {
		return nil, errors.Join(err, p.close(ctx))
	}
	known := i.Known()
	known.ID = manifest.Config.Digest
	return &pushedImage{pushing: p, close: func() error { return p.close(ctx) }, manifest: manifest, known: known}, nil
}

// Image implements ociimage.Source.
func (p *pushedImage) Image() (ociimage.Image, bool) { return p.known, true }

// Close implements ociimage.Source.
func (p *pushedImage) Close() error { return p.close() }

// Read implements ociimage.Source.
func (p *pushedImage) Read(ctx context.Context, to ociimage.Receiver) (ociimage.Image, error) {
	wanted := &wantedBlobs{manifest: p.manifest, to: to, came: map[digest.Digest]bool{}}
	if err := p.pushing.push(ctx, wanted); err != nil {
		return p.known, err
	}
	return p.check(ctx, to, wanted.config, wanted.came)
}

// wantedBlobs takes the config and the layers that a receiver wants.
type wantedBlobs struct {
	manifest *pushedManifest
	to       ociimage.Receiver

	// turn is because docker pushes several layers at once, and a receiver takes one at
	// a time.
	turn   sync.Mutex
	config []byte
	came   map[digest.Digest]bool
}

func (w *wantedBlobs) wants(ctx context.Context, blob digest.Digest) (bool, error) {
	if blob == w.manifest.Config.Digest {
		return true, nil
	}
	diffID, known := w.manifest.layers[blob]
	if !known || w.came[diffID] {
		return false, nil
	}
	return w.to.Wants(ctx, diffID)
}

func (w *wantedBlobs) has(ctx context.Context, blob digest.Digest) (bool, error) {
	w.turn.Lock()
	defer w.turn.Unlock()
	wanted, err := w.wants(ctx, blob)
	return !wanted, err
}

func (w *wantedBlobs) take(ctx context.Context, blob digest.Digest, content io.Reader) (err error) {
	w.turn.Lock()
	defer w.turn.Unlock()
	wanted, err := w.wants(ctx, blob)
	switch {
	case err != nil:
		return err
	case !wanted:
		_, err = io.Copy(io.Discard, content)
		return err
	case blob == w.manifest.Config.Digest:
		w.config, err = io.ReadAll(io.LimitReader(content, ociimage.MaxMetadata))
		return err
	}
	diffID := w.manifest.layers[blob]
	plain, err := ociimage.Decompressed(content)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plain.Close()) }()
	if _, err = w.to.Layer(ctx, diffID, plain); err == nil {
		w.came[diffID] = true
	}
	return err
}

// check sees to it that all came that is wanted, and that it is the image it is to be.
func (p *pushedImage) check(ctx context.Context, to ociimage.Receiver, config []byte,
	came map[digest.Digest]bool,
) (ociimage.Image, error) {
	image, err := ociimage.ParseConfig(config)
	if err != nil {
		return p.known, err
	}
	if image.ID != p.known.ID {
		return p.known, &ociimage.ContentError{What: "its config", Want: p.known.ID, Got: image.ID}
	}
	if len(image.DiffIDs) != len(p.known.DiffIDs) {
		return p.known, fmt.Errorf("the image has %d layers, and its engine says %d", len(image.DiffIDs),
			len(p.known.DiffIDs))
	}
	for n, diffID := range image.DiffIDs {
		if diffID != p.known.DiffIDs[n] {
			return p.known, fmt.Errorf("layer %d of the image is %s, and its engine says %s", n,
				ociimage.ShortID(diffID.String()), ociimage.ShortID(p.known.DiffIDs[n].String()))
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
	image.Names = p.known.Names
	return image, nil
}
