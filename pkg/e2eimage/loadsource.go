package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// from is what an image is loaded from: an engine's image, or an archive that is
// open.
type from struct {
	text    string
	engine  *engine.Image
	archive ociimage.Source
	// image is what is known of it.
	image ociimage.Image
	// names that the nodes are to have it under.
	names []string
}

// source decides where the image comes from.
func (r *loadRun) source(ctx context.Context) (*from, error) {
	text := r.image.Source
	if r.image.External != "" {
		text = r.image.External
	}
	if prebuilt := r.image.Prebuilt; prebuilt != "" && r.image.Unfilled[config.FieldPrebuilt].What == "" && isThere(prebuilt) {
		text = prebuilt
	}
	if text == "" {
		return nil, &UsageError{errors.New("which image? Say it with --source, or as source in e2eimage.yaml")}
	}
	source, err := config.ParseSource(text)
	if err != nil {
		return nil, &UsageError{err}
	}
	switch source.Kind {
	case config.SourceReference, config.SourceID:
		return r.fromEngine(ctx, text)
	}
	archive, err := engine.OpenArchive(source, r.in.Stdin, r.platform())
	if err != nil {
		return nil, err
	}
	f := &from{text: text, archive: archive}
	f.image, _ = archive.Image()
	return f, nil
}

// isThere tells whether a prebuilt archive is there; an engine's image is asked
// for later.
func isThere(prebuilt string) bool {
	source, err := config.ParseSource(prebuilt)
	if err != nil {
		return true
	}
	switch source.Kind {
	case config.SourceDockerArchive, config.SourceOCI, config.SourceOCIArchive:
		return engine.HasArchive(source)
	}
	return true
}

func (r *loadRun) fromEngine(ctx context.Context, text string) (*from, error) {
	found, err := engine.Find(ctx, r.client.runner, r.in.Engine, text)
	if err != nil {
		return nil, err
	}
	if found.Platform != r.platform() {
		return nil, &InconsistentError{fmt.Errorf("%s in %s is for %s, the nodes are %s; build it for %s", text, found.Engine, found.Platform, r.platform(), r.platform())}
	}
	return &from{text: text, engine: &found, image: found.Known()}, nil
}

// nameIt decides the names that the nodes get, when it is known which the image
// has where it comes from.
func (r *loadRun) nameIt(f *from, image ociimage.Image) error {
	wanted := r.image.Source
	if r.image.External != "" {
		wanted = r.image.External
	}
	if source, err := config.ParseSource(wanted); err == nil && source.Kind == config.SourceReference {
		candidates, err := ociimage.Candidates(source.Value)
		if err != nil {
			return &UsageError{err}
		}
		// podman's x:y is localhost/x:y, docker's is docker.io/library/x:y.
		for _, candidate := range candidates {
			if slices.Contains(image.Names, candidate) {
				f.names = []string{candidate}
				return nil
			}
		}
		if f.engine == nil || len(image.Names) == 0 || f.text != wanted {
			f.names = candidates[:1]
			return nil
		}
	}
	f.names = slices.Compact(slices.Sorted(slices.Values(image.Names)))
	if len(f.names) == 0 {
		return fmt.Errorf("%s has no name, so nodes could not tell what it is; give it one where it was built, like localhost/%s:dev", f.text, r.image.Name)
	}
	return nil
}

// open begins to read the image; layers that every node has are left out where
// that is possible.
func (f *from) open(ctx context.Context, r *loadRun, lacking []string) (ociimage.Source, error) {
	if f.archive != nil {
		return f.archive, nil
	}
	missing := map[digest.Digest]bool{}
	for _, node := range lacking {
		for _, diffID := range r.states[node].Missing(f.image, r.sized) {
			missing[diffID] = true
		}
	}
	return f.engine.Open(ctx, r.client.runner, r.platform(), func(diffID digest.Digest) bool { return !missing[diffID] })
}

func (f *from) close() {
	if f.archive != nil {
		_ = f.archive.Close()
	}
}
