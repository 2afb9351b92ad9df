package registry

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// Content is what a name stands for in a registry, or could stand for.
type Content struct {
	// Repository like HOST/team/app.
	Repository string
	// Digest of the index or manifest that the name stands for.
	Digest digest.Digest
	// Index is set where Digest is that of an index, of one image per platform.
	Index bool
	// Images, one per platform, in the order of the index. What stands beside images, as
	// attestations do, is not among them.
	Images []Image
	// Artifact is what it is of if it is of no image, like a Helm chart.
	Artifact string

	raw       []byte
	mediaType types.MediaType
	in        name.Repository
}

// Image is one platform's.
type Image struct {
	// Platform in OCI form, like linux/amd64.
	Platform string
	// Manifest and Config are digests. Config, the image ID, is "" where the registry has not
	// got what the index lists.
	Manifest, Config digest.Digest

	layers []ocispec.Descriptor
	config ocispec.Descriptor
}

// Image returns the one of a platform. An index may have none for it; what is of one platform
// only is not asked which.
func (c Content) Image(platform string) (Image, bool) {
	if !c.Index && len(c.Images) == 1 && platform == "" {
		return c.Images[0], true
	}
	i := slices.IndexFunc(c.Images, func(image Image) bool { return image.Platform == platform && image.Config != "" })
	if i < 0 {
		return Image{}, false
	}
	return c.Images[i], true
}

// Has tells whether it is, or has for one of its platforms, what a digest is of: of the index,
// a manifest, or a config.
func (c Content) Has(d digest.Digest) bool { return d != "" && slices.Contains(c.Digests(), d) }

// Digests are all by which a container's runtime may call it, each once: the index's first, then
// each platform's manifest and config.
func (c Content) Digests() []digest.Digest {
	digests := []digest.Digest{c.Digest}
	for _, image := range c.Images {
		for _, d := range []digest.Digest{image.Manifest, image.Config} {
			if d != "" && !slices.Contains(digests, d) {
				digests = append(digests, d)
			}
		}
	}
	return digests
}

// Runs tells whether a container runs one of some digests, by the imageID in its pod's status.
// Of that, only the digest counts: the repository may be another that the same content was
// pulled from.
func Runs(imageID string, digests []digest.Digest) bool {
	text := imageID[strings.LastIndexByte(imageID, '@')+1:]
	if _, runtime, found := strings.Cut(text, "://"); found {
		text = runtime
	}
	id, ok := ociimage.ParseImageID(text)
	return ok && slices.Contains(digests, digest.Digest(id))
}

// Pinned writes a name by which pods get exactly this content, like HOST/team/app:dev@sha256:….
func (c Content) Pinned(tag string) string { return tag + "@" + c.Digest.String() }

// put is what go-containerregistry takes to PUT content as it is.
type put struct {
	raw       []byte
	mediaType types.MediaType
}

func (p put) RawManifest() ([]byte, error)            { return p.raw, nil }
func (p put) MediaType() (types.MediaType, error)     { return p.mediaType, nil }
func (p put) Size() (int64, error)                    { return int64(len(p.raw)), nil }
func (p put) Digest() (v1.Hash, error)                { return hash(digest.FromBytes(p.raw)) }
func (c Content) put() put                            { return put{c.raw, c.mediaType} }
func hash(d digest.Digest) (v1.Hash, error)           { return v1.NewHash(d.String()) }
func by(repo name.Repository, d digest.Digest) string { return repo.Name() + "@" + d.String() }

// maxImages bounds the images of an index; there are not nearly as many platforms.
const maxImages = 200

// parse reads an index or manifest. Of an index it tells the images as far as that does, of a
// manifest all but its platform.
func parse(raw []byte, mediaType types.MediaType) (Content, error) {
	content := Content{Digest: digest.FromBytes(raw), raw: raw, mediaType: mediaType}
	switch {
	case mediaType.IsIndex():
		content.Index = true
		return content, content.parseIndex()
	case mediaType.IsImage():
		return content, content.parseManifest()
	case mediaType.IsSchema1():
		return content, errors.New("it is in a format of 2015 (schema 1) that nodes do not pull any more; push it again")
	}
	content.Artifact = cmp.Or(string(mediaType), "something without a media type")
	return content, nil
}

func (c *Content) parseIndex() error {
	var index ocispec.Index
	if err := json.Unmarshal(c.raw, &index); err != nil {
		return fmt.Errorf("its index is not readable: %w", err)
	}
	for _, entry := range index.Manifests {
		if entry.Annotations["vnd.docker.reference.type"] != "" || entry.Platform == nil || entry.Platform.OS == "unknown" ||
			!types.MediaType(entry.MediaType).IsImage() {
			continue
		}
		if err := entry.Digest.Validate(); err != nil {
			return fmt.Errorf("its index lists %q: %w", entry.Digest, err)
		}
		if len(c.Images) == maxImages {
			return fmt.Errorf("its index lists more than %d images", maxImages)
		}
		c.Images = append(c.Images, Image{
			Platform: ociimage.Platform(entry.Platform.OS, entry.Platform.Architecture, entry.Platform.Variant),
			Manifest: entry.Digest,
		})
	}
	if len(c.Images) == 0 {
		c.Artifact = cmp.Or(index.ArtifactType, "an index without an image")
	}
	return nil
}

func (c *Content) parseManifest() error {
	var manifest ocispec.Manifest
	if err := json.Unmarshal(c.raw, &manifest); err != nil {
		return fmt.Errorf("its manifest is not readable: %w", err)
	}
	if c.Artifact = ociimage.Artifact(manifest); c.Artifact != "" {
		return nil
	}
	for _, described := range append(slices.Clone(manifest.Layers), manifest.Config) {
		if err := described.Digest.Validate(); err != nil {
			return fmt.Errorf("its manifest lists %q: %w", described.Digest, err)
		}
	}
	c.Images = []Image{{
		Manifest: c.Digest, Config: manifest.Config.Digest, config: manifest.Config, layers: manifest.Layers,
	}}
	return nil
}
