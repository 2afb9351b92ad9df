package ociimage

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// blobPath is where a layout keeps a blob.
func blobPath(d digest.Digest) string { return "blobs/" + d.Algorithm().String() + "/" + d.Encoded() }

// Annotations under which tools keep an image's full name in a layout's index.
const containerdName = "io.containerd.image.name"

// maxDepth bounds how deep indexes are nested.
const maxDepth = 4

// fromIndex reads an OCI layout. Manifests that are listed but not there are of
// platforms that were not pulled; what is no image is passed over.
func fromIndex(read metadata, text []byte) ([]candidate, error) {
	w := &walk{read: read}
	if err := w.index(text, nil, nil, 0); err != nil {
		return nil, err
	}
	switch {
	case len(w.found) > 0:
	case len(w.absent) > 0:
		return nil, fmt.Errorf("its index lists images that are not in it (%s): cut off?", strings.Join(w.absent, ", "))
	case len(w.passed) > 0:
		slices.Sort(w.passed)
		return nil, fmt.Errorf("no image in it; it has %s", strings.Join(slices.Compact(w.passed), ", "))
	}
	return w.found, nil
}

// maxVisits bounds the manifests and indexes that are looked at.
const maxVisits = 1000

type walk struct {
	read   metadata
	visits int
	bytes  int
	found  []candidate
	absent []string
	// passed is what was passed over, since it is no image.
	passed []string
}

// index walks through one. root is the entry of the outermost that it was found by, nil for
// the outermost itself.
func (w *walk) index(text []byte, root *ocispec.Descriptor, names []string, depth int) error {
	var index ocispec.Index
	if err := json.Unmarshal(text, &index); err != nil {
		return fmt.Errorf("an index in it is not readable: %w", err)
	}
	if depth > maxDepth {
		return errors.New("its indexes are nested too deep")
	}
	for _, entry := range index.Manifests {
		if entry.Annotations["vnd.docker.reference.type"] != "" || entry.Platform != nil && entry.Platform.OS == "unknown" {
			continue
		}
		if err := w.entry(entry, cmp.Or(root, &entry), append(slices.Clone(names), namesOf(entry)...), depth); err != nil {
			return err
		}
	}
	return nil
}

func namesOf(entry ocispec.Descriptor) []string {
	var names []string
	for _, key := range []string{containerdName, ocispec.AnnotationRefName} {
		if name := entry.Annotations[key]; name != "" {
			names = append(names, name)
		}
	}
	return names
}

func (w *walk) entry(entry ocispec.Descriptor, root *ocispec.Descriptor, names []string, depth int) error {
	if err := entry.Digest.Validate(); err != nil {
		return fmt.Errorf("its index lists %q: %w", entry.Digest, err)
	}
	if w.visits++; w.visits > maxVisits || w.bytes > maxStreamMetadata {
		return errors.New("its indexes list more images than any archive has")
	}
	text, err := w.blob(entry.Digest)
	if errors.Is(err, fs.ErrNotExist) {
		w.absent = append(w.absent, ShortID(entry.Digest.String()))
		return nil
	}
	if err != nil {
		return err
	}
	switch entry.MediaType {
	case ocispec.MediaTypeImageIndex, "application/vnd.docker.distribution.manifest.list.v2+json":
		return w.index(text, root, names, depth+1)
	case "", ocispec.MediaTypeImageManifest, "application/vnd.docker.distribution.manifest.v2+json":
	default:
		w.passed = append(w.passed, entry.MediaType)
		return nil
	}
	var manifest ocispec.Manifest
	if err := json.Unmarshal(text, &manifest); err != nil {
		return fmt.Errorf("a manifest in it is not readable: %w", err)
	}
	if artifact := Artifact(manifest); artifact != "" {
		w.passed = append(w.passed, artifact)
		return nil
	}
	if err := manifest.Config.Digest.Validate(); err != nil {
		return fmt.Errorf("the manifest %s names no config: %w", ShortID(entry.Digest.String()), err)
	}
	config, err := w.blob(manifest.Config.Digest)
	if errors.Is(err, fs.ErrNotExist) {
		w.absent = append(w.absent, ShortID(entry.Digest.String()))
		return nil
	}
	if err != nil {
		return err
	}
	paths := make([]string, 0, len(manifest.Layers))
	for _, layer := range manifest.Layers {
		if err := layer.Digest.Validate(); err != nil {
			return fmt.Errorf("the manifest %s has a layer %q: %w", ShortID(entry.Digest.String()), layer.Digest, err)
		}
		paths = append(paths, blobPath(layer.Digest))
	}
	c, err := newCandidate(config, paths)
	if errors.Is(err, errNoPlatform) {
		w.passed = append(w.passed, "what no platform runs")
		return nil
	}
	if err != nil {
		return err
	}
	c.root = *root
	c.name(names...)
	w.found = append(w.found, c)
	return nil
}

// blob reads a small blob and holds it against its digest.
func (w *walk) blob(d digest.Digest) ([]byte, error) {
	text, err := w.read(blobPath(d))
	if err != nil {
		return nil, err
	}
	w.bytes += len(text)
	if got := d.Algorithm().FromBytes(text); got != d {
		return nil, &ContentError{What: blobPath(d), Want: d, Got: got}
	}
	return text, nil
}
