package ociimage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// metadata returns a small file of an archive; fs.ErrNotExist when there is none.
type metadata func(name string) ([]byte, error)

// resolved is an image and where its layers stand, in the order of its DiffIDs.
type resolved struct {
	Image
	paths []string
	// root is the entry of a layout's index that the image was found by.
	root ocispec.Descriptor
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
		if choice.ID != "" && c.ID != choice.ID || choice.Name != "" && !slices.ContainsFunc(c.names, func(name string) bool {
			return sameName(name, choice.Name)
		}) {
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
		return candidate{}, fmt.Errorf("image %s lists %d layers, but its config has %d", ShortID(image.ID.String()),
			len(paths), len(image.DiffIDs))
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
