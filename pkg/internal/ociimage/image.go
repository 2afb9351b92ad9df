package ociimage

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	// MaxMetadata bounds a config, manifest or index, in bytes. containerd's own
	// limit for manifests is 8 MiB.
	MaxMetadata = 8 << 20
	// maxLayers bounds an image's layers; overlayfs takes 500 at most.
	maxLayers = 1000
)

// Image is what one image of one platform consists of.
type Image struct {
	// ID is the digest of Config.
	ID digest.Digest
	// Config as its builder wrote it; nil while only the ID is known.
	Config []byte
	// Platform in OCI form, like linux/amd64.
	Platform string
	// DiffIDs are the digests of the uncompressed layers, the lowest first.
	DiffIDs []digest.Digest
	// Names that the image has where it comes from, fully qualified.
	Names []string
}

var errNoPlatform = errors.New("the image's config names no platform: it is no container image")

// ParseConfig reads an image's config.
func ParseConfig(config []byte) (Image, error) {
	var parsed ocispec.Image
	if err := json.Unmarshal(config, &parsed); err != nil {
		return Image{}, fmt.Errorf("the image's config is not readable: %w", err)
	}
	if parsed.OS == "" || parsed.Architecture == "" {
		return Image{}, errNoPlatform
	}
	if len(parsed.RootFS.DiffIDs) > maxLayers {
		return Image{}, fmt.Errorf("the image has %d layers, more than any node can mount", len(parsed.RootFS.DiffIDs))
	}
	for _, diffID := range parsed.RootFS.DiffIDs {
		if err := diffID.Validate(); err != nil {
			return Image{}, fmt.Errorf("the image's config has a layer %q: %w", diffID, err)
		}
	}
	image := Image{
		ID: digest.FromBytes(config), Config: config, DiffIDs: parsed.RootFS.DiffIDs,
		Platform: Platform(parsed.OS, parsed.Architecture, parsed.Variant),
	}
	return image, nil
}

// Platform writes a platform as nodes do, like linux/amd64.
func Platform(os, architecture, variant string) string {
	// As containerd normalises them: arm64 is v8 unless it says otherwise.
	if variant == "" || architecture == "arm64" && variant == "v8" {
		return os + "/" + architecture
	}
	return os + "/" + architecture + "/" + variant
}

// ChainIDs are the names of the snapshots that the layers are unpacked to, one
// for each of DiffIDs.
func (i Image) ChainIDs() []digest.Digest {
	chains := make([]digest.Digest, len(i.DiffIDs))
	copy(chains, i.DiffIDs)
	return identity.ChainIDs(chains)
}

// Manifest writes a manifest of the image with its layers as they are without
// compression: then a layer is the same blob on a node, however it got there.
// size tells how many bytes a layer has.
func (i Image) Manifest(size func(digest.Digest) int64) ([]byte, error) {
	manifest := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: ocispec.Descriptor{MediaType: ocispec.MediaTypeImageConfig, Digest: i.ID, Size: int64(len(i.Config))},
		Layers: make([]ocispec.Descriptor, 0, len(i.DiffIDs)),
	}
	for _, diffID := range i.DiffIDs {
		manifest.Layers = append(manifest.Layers, Layer(diffID, size(diffID)))
	}
	return json.Marshal(manifest)
}

// Layer describes a layer without compression.
func Layer(diffID digest.Digest, size int64) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: diffID, Size: size}
}
