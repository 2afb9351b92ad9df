package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// inspected is what both engines' `image inspect` have in common, and what tells
// them apart.
type inspected struct {
	ID       string `json:"Id"`
	RepoTags []string
	Os       string
	// Architecture and Variant in OCI form.
	Architecture, Variant string
	Size                  int64
	Created               string
	RootFS                struct{ Layers []digest.Digest }
	// ManifestType is podman's.
	ManifestType string
	// GraphDriver is where the engine keeps the layers.
	GraphDriver struct {
		Name string
		Data struct{ LowerDir, UpperDir string }
	}
}

// classicDrivers are docker's own storage drivers. With them an image's ID is the digest
// of its config. Whatever else docker names is a snapshotter of containerd's, and the ID
// the digest of a manifest or index.
var classicDrivers = []string{"overlay2", "vfs", "aufs", "devicemapper", "overlay"}

// imageID is the digest of the image's config, "" where the engine does not say it.
func (i inspected) imageID(id string) string {
	if i.ManifestType != "" || slices.Contains(classicDrivers, i.GraphDriver.Name) {
		return id
	}
	return ""
}

// platform is "" where docker 29 has nothing for its own platform of an index.
func (i inspected) platform() string {
	if i.Os == "" && i.Architecture == "" {
		return ""
	}
	return ociimage.Platform(i.Os, i.Architecture, i.Variant)
}

func inspect(ctx context.Context, runner hostexec.Runner, engine, reference string) answer {
	var out bytes.Buffer
	err := runner.Run(ctx, hostexec.Command{Argv: []string{engine, "image", "inspect", "--", reference}, Stdout: &out})
	var failed *hostexec.CommandError
	if errors.As(err, &failed) && failed.ExitCode() > 0 && isUnknown(failed.Stderr) {
		return answer{}
	}
	if err != nil {
		return answer{err: fmt.Errorf("%s did not answer: %w", engine, err)}
	}
	one, err := parseInspected(out.Bytes())
	if err != nil {
		return answer{err: fmt.Errorf("what %s image inspect printed is not understood: %w", engine, err)}
	}
	id := one.ID
	image := &Image{
		Engine: engine, EngineID: id, ImageID: one.imageID(id), Reference: reference,
		Platform: one.platform(), DiffIDs: one.RootFS.Layers, Size: one.Size,
		stored: one.stored(id), isPodman: one.ManifestType != "", manifestType: one.ManifestType,
		inContainerd: one.imageID(id) == "",
	}
	// Images that are the same whoever builds them say no time, or none that counts.
	image.Created, _ = time.Parse(time.RFC3339, one.Created)
	for _, tag := range one.RepoTags {
		if full, err := ociimage.Normalize(tag); err == nil {
			image.Names = append(image.Names, full)
		}
	}
	slices.Sort(image.Names)
	return answer{image: image}
}

// parseInspected reads the answer about one image. What names no image, or no layers that
// there can be, is no answer.
func parseInspected(out []byte) (inspected, error) {
	var listed []inspected
	if err := json.Unmarshal(out, &listed); err != nil {
		return inspected{}, err
	}
	if len(listed) != 1 {
		return inspected{}, fmt.Errorf("it has %d images instead of one", len(listed))
	}
	one := listed[0]
	id, ok := ociimage.ParseImageID(one.ID)
	if !ok {
		return inspected{}, fmt.Errorf("the image's ID is %q", one.ID)
	}
	one.ID = id
	for _, layer := range one.RootFS.Layers {
		if err := layer.Validate(); err != nil {
			return inspected{}, fmt.Errorf("layer %q: %w", layer, err)
		}
	}
	return one, nil
}

// isUnknown tells "there is no such image" from other failures: the exit code is
// the same.
func isUnknown(stderr string) bool {
	said := strings.ToLower(stderr)
	return strings.Contains(said, "no such image") || strings.Contains(said, "image not known") ||
		strings.Contains(said, "no such object")
}
