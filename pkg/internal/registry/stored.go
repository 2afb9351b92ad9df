package registry

import (
	"bytes"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
)

// storedIndex is an index of a layout.
type storedIndex struct {
	*layout
	put
}

var _ v1.ImageIndex = (*storedIndex)(nil)

// IndexManifest implements v1.ImageIndex.
func (i *storedIndex) IndexManifest() (*v1.IndexManifest, error) {
	return v1.ParseIndexManifest(bytes.NewReader(i.raw))
}

// Image implements v1.ImageIndex.
func (i *storedIndex) Image(h v1.Hash) (v1.Image, error) {
	mediaType, err := i.typeOf(h)
	if err != nil {
		return nil, err
	}
	return i.image(h, mediaType)
}

// ImageIndex implements v1.ImageIndex.
func (i *storedIndex) ImageIndex(h v1.Hash) (v1.ImageIndex, error) {
	mediaType, err := i.typeOf(h)
	if err != nil {
		return nil, err
	}
	return i.index(h, mediaType)
}

func (i *storedIndex) typeOf(h v1.Hash) (types.MediaType, error) {
	listed, err := i.IndexManifest()
	if err != nil {
		return "", err
	}
	for _, one := range listed.Manifests {
		if one.Digest == h {
			return one.MediaType, nil
		}
	}
	return "", fmt.Errorf("the index does not list %s", h)
}

// Layer is how the library asks for what an index lists that is neither image nor index.
func (i *storedIndex) Layer(h v1.Hash) (v1.Layer, error) {
	listed, err := i.IndexManifest()
	if err != nil {
		return nil, err
	}
	for _, one := range listed.Manifests {
		if one.Digest == h {
			return partial.CompressedToLayer(&storedLayer{i.layout, one})
		}
	}
	return nil, fmt.Errorf("the index does not list %s", h)
}

// storedImage is an image of a layout.
type storedImage struct {
	*layout
	put
}

var _ partial.CompressedImageCore = (*storedImage)(nil)

// RawConfigFile implements partial.CompressedImageCore.
func (i *storedImage) RawConfigFile() ([]byte, error) {
	manifest, err := v1.ParseManifest(bytes.NewReader(i.raw))
	if err != nil {
		return nil, err
	}
	return i.read(digest.Digest(manifest.Config.Digest.String()))
}

// LayerByDigest implements partial.CompressedImageCore.
func (i *storedImage) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	manifest, err := v1.ParseManifest(bytes.NewReader(i.raw))
	if err != nil {
		return nil, err
	}
	for _, one := range append(manifest.Layers, manifest.Config) {
		if one.Digest == h {
			return &storedLayer{i.layout, one}, nil
		}
	}
	return nil, fmt.Errorf("the manifest does not list %s", h)
}

// storedLayer is a blob of a layout.
type storedLayer struct {
	*layout
	v1.Descriptor
}

var _ partial.CompressedLayer = (*storedLayer)(nil)

// Digest implements partial.CompressedLayer.
func (l *storedLayer) Digest() (v1.Hash, error) { return l.Descriptor.Digest, nil }

// Size implements partial.CompressedLayer.
func (l *storedLayer) Size() (int64, error) { return l.Descriptor.Size, nil }

// MediaType implements partial.CompressedLayer.
func (l *storedLayer) MediaType() (types.MediaType, error) { return l.Descriptor.MediaType, nil }

// Compressed implements partial.CompressedLayer.
func (l *storedLayer) Compressed() (io.ReadCloser, error) {
	return l.stored.Open(digest.Digest(l.Descriptor.Digest.String()))
}

// mountable is an image whose layers may be in other repositories of the registry.
type mountable struct {
	v1.Image
	layout *layout
}

// Layers implements v1.Image.
func (m *mountable) Layers() ([]v1.Layer, error) {
	layers, err := m.Image.Layers()
	if err != nil {
		return nil, err
	}
	for i, layer := range layers {
		h, err := layer.Digest()
		if err != nil {
			return nil, err
		}
		layers[i] = &counted{Layer: layer, watch: func(bytes int64) { m.layout.goes(h, bytes) }}
		if from, ok := m.layout.mounts[digest.Digest(h.String())]; ok {
			layers[i] = &remote.MountableLayer{Layer: layers[i], Reference: from.Digest(h.String())}
		}
	}
	return layers, nil
}
