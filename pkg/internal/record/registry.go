package record

import (
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"
)

// Registry is where nodes pull a recorded image from, and what it is there.
type Registry struct {
	// Pull is the prefix of repositories as nodes reach it, HOST[:PORT][/PATH]. Push is how it
	// was reached where the image was recorded, with http:// where it may do without TLS; "" for
	// as the nodes do.
	Pull string `json:"pull"`
	Push string `json:"push,omitempty"`
	// Digest is that of the index or manifest, "" while the image is only claimed.
	Digest digest.Digest `json:"digest,omitempty"`
	// Images, one for each platform.
	Images []PlatformImage `json:"images,omitempty"`
}

// PlatformImage is the image of one platform.
type PlatformImage struct {
	// Platform in OCI form, like linux/amd64.
	Platform string `json:"platform"`
	// Manifest and Config are digests; the config's is the image ID.
	Manifest digest.Digest `json:"manifest"`
	Config   digest.Digest `json:"config,omitempty"`
}

// Digests are all by which a container's runtime may call the image, each once.
func (r *Registry) Digests() []digest.Digest {
	digests := []digest.Digest{r.Digest}
	for _, image := range r.Images {
		digests = append(digests, image.Manifest, image.Config)
	}
	return digests
}

// Reference is what workloads ask for: in a registry the recorded image with its digest, which
// nodes pull whatever the tag stands for by then.
func (e *Evidence) Reference() string {
	if e.Registry == nil || e.Registry.Digest == "" {
		return e.Image
	}
	return e.Image + "@" + e.Registry.Digest.String()
}

// check refuses what is no digest: it would become a part of a reference.
func (r *Registry) check() error {
	if r == nil || r.Digest == "" {
		return nil
	}
	all := map[string]digest.Digest{"digest": r.Digest}
	for _, image := range r.Images {
		all["manifest of "+image.Platform] = image.Manifest
		if image.Config != "" {
			all["config of "+image.Platform] = image.Config
		}
	}
	var mistakes []error
	for what, d := range all {
		if err := d.Validate(); err != nil {
			mistakes = append(mistakes, fmt.Errorf("registry: %s %q: %w", what, d, err))
		}
	}
	return errors.Join(mistakes...)
}

// registryFields are those that could look like several lines.
func (e *Evidence) registryFields() [][2]string {
	if e.Registry == nil {
		return nil
	}
	fields := [][2]string{
		{"registry.pull", e.Registry.Pull},
		{"registry.push", e.Registry.Push},
		{"registry.digest", e.Registry.Digest.String()},
	}
	for _, image := range e.Registry.Images {
		fields = append(fields, [2]string{"registry.images.platform", image.Platform},
			[2]string{"registry.images.manifest", image.Manifest.String()},
			[2]string{"registry.images.config", image.Config.String()})
	}
	return fields
}
