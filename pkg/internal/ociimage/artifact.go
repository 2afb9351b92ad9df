package ociimage

import (
	"cmp"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Artifact returns what a manifest is of if it is of no image: signatures, SBOMs, Helm
// charts and attestations stand beside images in indexes, and have manifests like theirs.
// It is "" for an image. What has no media types is taken for one.
func Artifact(manifest ocispec.Manifest) string {
	switch manifest.Config.MediaType {
	case "", ocispec.MediaTypeImageConfig, "application/vnd.docker.container.image.v1+json":
	default:
		return cmp.Or(manifest.ArtifactType, manifest.Config.MediaType)
	}
	for _, layer := range manifest.Layers {
		// cosign gives signatures and SBOMs an image's config.
		if !mountable(layer.MediaType) {
			return cmp.Or(manifest.ArtifactType, layer.MediaType)
		}
	}
	return ""
}

func mountable(mediaType string) bool {
	return mediaType == "" || strings.HasPrefix(mediaType, "application/vnd.oci.image.layer.") ||
		strings.HasPrefix(mediaType, "application/vnd.docker.image.rootfs.")
}
