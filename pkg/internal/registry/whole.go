package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// maxDepth bounds how deep indexes are nested.
const maxDepth = 4

// errSparse says that a layout lacks some of what its index lists.
var errSparse = errors.New("the layout does not have all that its index lists")

// Pushed is what came of a push.
type Pushed struct {
	Content
	// Sent are the bytes of layers that went, Layers how many layers they were.
	Sent   int64
	Layers int
}

// PushWhole pushes what a layout has, as it was written: an index with the images of all
// platforms and what stands beside them, or one manifest. It has no name then. Blobs that the
// registry has do not go again; those of other repositories among has are mounted.
//
// whole is false, and nothing was pushed, where the layout lacks some of what its index lists,
// as one has that an engine saved: then Deliver can push the one platform's image.
func (s *Store) PushWhole(ctx context.Context, repository string, stored ociimage.Stored, has Layers, watch Watcher,
) (pushed Pushed, whole bool, err error) {
	repo, err := s.repository(repository)
	if err != nil {
		return Pushed{}, false, err
	}
	root, ok := stored.Root()
	if !ok {
		return Pushed{}, false, nil
	}
	layout := &layout{stored: stored, watch: watch, mounts: map[digest.Digest]name.Repository{}, sent: map[v1.Hash]bool{}}
	for _, layer := range has {
		if layer.in != repo {
			layout.mounts[layer.Blob.Digest] = layer.in
		}
	}
	err = layout.check(root, 0)
	if errors.Is(err, errSparse) {
		return Pushed{}, false, nil
	}
	if err != nil {
		return Pushed{}, false, err
	}
	content, err := layout.taggable(root)
	if err != nil {
		return Pushed{}, false, err
	}
	ref := repo.Digest(root.Digest.String())
	if err := s.pusher.Push(ctx, ref, content); err != nil {
		return Pushed{}, true, s.failed(ctx, err, "push to "+repo.Name(), repo)
	}
	pushed.Sent, pushed.Layers = layout.bytes, len(layout.sent)
	pushed.Content, err = s.At(ctx, repository, root.Digest)
	return pushed, true, err
}

// layout lets go-containerregistry read what is stored.
type layout struct {
	stored ociimage.Stored
	watch  Watcher
	mounts map[digest.Digest]name.Repository

	mu    sync.Mutex
	sent  map[v1.Hash]bool
	bytes int64
}

// goes notes bytes of a layer that go to the registry.
func (l *layout) goes(layer v1.Hash, bytes int64) {
	l.mu.Lock()
	l.sent[layer] = true
	l.bytes += bytes
	l.mu.Unlock()
	if l.watch != nil {
		l.watch(bytes)
	}
}

// read returns a small blob that is what its digest says.
func (l *layout) read(d digest.Digest) ([]byte, error) {
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("the layout lists %q: %w", d, err)
	}
	file, err := l.stored.Open(d)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, ociimage.MaxMetadata+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > ociimage.MaxMetadata:
		return nil, &tooLargeError{path: d.String()}
	}
	if got := d.Algorithm().FromBytes(text); got != d {
		return nil, &ociimage.ContentError{What: "the layout's " + ociimage.ShortID(d.String()), Want: d, Got: got}
	}
	return text, nil
}

// check makes sure that all is there, before anything is pushed.
func (l *layout) check(entry ocispec.Descriptor, depth int) error {
	if depth > maxDepth {
		return errors.New("the layout's indexes are nested too deep")
	}
	mediaType := types.MediaType(entry.MediaType)
	if !mediaType.IsIndex() && !mediaType.IsImage() {
		return l.exists(entry)
	}
	text, err := l.read(entry.Digest)
	if errors.Is(err, fs.ErrNotExist) {
		return errSparse
	}
	if err != nil {
		return err
	}
	var listed struct {
		Manifests, Layers []ocispec.Descriptor
		Config            *ocispec.Descriptor
	}
	if err := json.Unmarshal(text, &listed); err != nil {
		return fmt.Errorf("%s in the layout is not readable: %w", ociimage.ShortID(entry.Digest.String()), err)
	}
	if mediaType.IsIndex() {
		if len(listed.Manifests) > maxImages {
			return fmt.Errorf("the layout's index lists more than %d manifests", maxImages)
		}
		for _, child := range listed.Manifests {
			if err := l.check(child, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	if listed.Config != nil {
		listed.Layers = append(listed.Layers, *listed.Config)
	}
	for _, blob := range listed.Layers {
		if err := l.exists(blob); err != nil {
			return err
		}
	}
	return nil
}

func (l *layout) exists(blob ocispec.Descriptor) error {
	if !types.MediaType(blob.MediaType).IsDistributable() {
		return nil
	}
	if err := blob.Digest.Validate(); err != nil {
		return fmt.Errorf("the layout lists %q: %w", blob.Digest, err)
	}
	file, err := l.stored.Open(blob.Digest)
	if errors.Is(err, fs.ErrNotExist) {
		return errSparse
	}
	if err != nil {
		return err
	}
	return file.Close()
}

func (l *layout) taggable(entry ocispec.Descriptor) (remote.Taggable, error) {
	h, err := hash(entry.Digest)
	if err != nil {
		return nil, err
	}
	if types.MediaType(entry.MediaType).IsIndex() {
		return l.index(h, types.MediaType(entry.MediaType))
	}
	return l.image(h, types.MediaType(entry.MediaType))
}

func (l *layout) index(h v1.Hash, mediaType types.MediaType) (v1.ImageIndex, error) {
	raw, err := l.read(digest.Digest(h.String()))
	return &storedIndex{layout: l, put: put{raw, mediaType}}, err
}

func (l *layout) image(h v1.Hash, mediaType types.MediaType) (v1.Image, error) {
	raw, err := l.read(digest.Digest(h.String()))
	if err != nil {
		return nil, err
	}
	image, err := partial.CompressedToImage(&storedImage{layout: l, put: put{raw, mediaType}})
	return &mountable{Image: image, layout: l}, err
}
