package ociimage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// metadata returns a small file of an archive; fs.ErrNotExist when there is none.
type metadata func(name string) ([]byte, error)

// resolved is an image and where its layers stand, in the order of its DiffIDs.
type resolved struct {
	Image
	paths []string
}

// candidate is one image of an archive.
type candidate struct {
	resolved
	names []string
}

// resolve finds the chosen image: by an OCI layout's index, else by a docker
// archive's manifest.json. Both stand in what newer dockers save.
func resolve(read metadata, choice Choice) (resolved, error) {
	var found []candidate
	index, err := read(ocispec.ImageIndexFile)
	switch {
	case err == nil:
		found, err = fromIndex(read, index)
	case errors.Is(err, fs.ErrNotExist):
		found, err = fromDocker(read)
	}
	if err != nil {
		return resolved{}, err
	}
	return choose(found, choice)
}

func choose(found []candidate, choice Choice) (resolved, error) {
	failed := &ChoiceError{Choice: choice}
	var fitting []candidate
	for _, c := range found {
		failed.Names = append(failed.Names, c.names...)
		if choice.ID != "" && c.ID != choice.ID || choice.Name != "" && !slices.ContainsFunc(c.names, func(name string) bool { return sameName(name, choice.Name) }) {
			continue
		}
		fitting = append(fitting, c)
	}
	slices.Sort(failed.Names)
	failed.Names = slices.Compact(failed.Names)
	var right []candidate
	var platforms []string
	for _, c := range fitting {
		if choice.Platform != "" && c.Platform != choice.Platform {
			platforms = append(platforms, c.Platform)
			continue
		}
		if i := slices.IndexFunc(right, func(other candidate) bool { return other.ID == c.ID }); i >= 0 {
			right[i].Names = append(right[i].Names, c.Names...)
			continue
		}
		right = append(right, c)
	}
	switch {
	case len(right) == 1:
		return right[0].resolved, nil
	case len(right) == 0 && len(platforms) > 0:
		slices.Sort(platforms)
		failed.Platforms = slices.Compact(platforms)
		return resolved{}, failed
	case len(found) == 0:
		return resolved{}, errors.New("no image in it")
	}
	return resolved{}, failed
}

// sameName tells whether a name in an archive is the one that is meant; layouts
// also use bare tags as names.
func sameName(name, wanted string) bool {
	if name == wanted {
		return true
	}
	candidates, err := Candidates(wanted)
	return err == nil && slices.Contains(candidates, name)
}

// fromDocker reads a docker archive (github.com/moby/docker-image-spec, v1.2).
func fromDocker(read metadata) ([]candidate, error) {
	text, err := read("manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("neither an OCI layout nor a docker archive: it has no index.json and no manifest.json")
	}
	if err != nil {
		return nil, err
	}
	var listed []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if err := json.Unmarshal(text, &listed); err != nil {
		return nil, fmt.Errorf("manifest.json is not readable: %w", err)
	}
	if len(listed) > maxVisits {
		return nil, fmt.Errorf("manifest.json lists more than %d images", maxVisits)
	}
	var found []candidate
	bytes := 0
	for _, entry := range listed {
		config, err := read(path.Clean(entry.Config))
		if bytes += len(config); err == nil && bytes > maxStreamMetadata {
			err = errors.New("more than any archive has")
		}
		if err != nil {
			return nil, fmt.Errorf("the config of %s: %w", strings.Join(entry.RepoTags, ", "), missing(err, entry.Config))
		}
		c, err := newCandidate(config, entry.Layers)
		if err != nil {
			return nil, err
		}
		c.name(entry.RepoTags...)
		found = append(found, c)
	}
	return found, nil
}

func newCandidate(config []byte, paths []string) (candidate, error) {
	image, err := ParseConfig(config)
	if err != nil {
		return candidate{}, err
	}
	if len(paths) != len(image.DiffIDs) {
		return candidate{}, fmt.Errorf("image %s lists %d layers, but its config has %d", ShortID(image.ID.String()), len(paths), len(image.DiffIDs))
	}
	c := candidate{resolved: resolved{Image: image}}
	for _, p := range paths {
		c.paths = append(c.paths, path.Clean(p))
	}
	return c, nil
}

// name keeps those names that are references. By a digest nodes would not find the image,
// since they get another manifest.
func (c *candidate) name(names ...string) {
	for _, name := range names {
		full, err := Normalize(name)
		// A bare tag or word: what skopeo and podman call an image in a layout.
		if err != nil || !strings.ContainsAny(name, ":/") {
			full = name
		} else if !strings.Contains(full, "@") {
			c.Names = append(c.Names, full)
		}
		c.names = append(c.names, full)
	}
}

func missing(err error, name string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is not in it: cut off?", name)
	}
	return err
}

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
	if err := w.index(text, nil, 0); err != nil {
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

func (w *walk) index(text []byte, names []string, depth int) error {
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
		if err := w.entry(entry, append(slices.Clone(names), namesOf(entry)...), depth); err != nil {
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

func (w *walk) entry(entry ocispec.Descriptor, names []string, depth int) error {
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
		return w.index(text, names, depth+1)
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
