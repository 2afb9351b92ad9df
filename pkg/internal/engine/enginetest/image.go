package enginetest

import (
	"archive/tar"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// contentLabel has what an image was built from.
const contentLabel = "content"

// Image is an image without layers.
type Image struct {
	config, manifest []byte
	made             time.Time
}

// NewImage makes the image of a content: the same content is the same image.
func NewImage(content string) *Image {
	config := must(json.Marshal(ocispec.Image{
		Platform: ocispec.Platform{OS: "linux", Architecture: "amd64"},
		Config:   ocispec.ImageConfig{Labels: map[string]string{contentLabel: content}},
		RootFS:   ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{}},
	}))
	manifest := must(json.Marshal(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: ocispec.Descriptor{
			MediaType: ocispec.MediaTypeImageConfig, Digest: digest.FromBytes(config),
			Size: int64(len(config)),
		},
		Layers: []ocispec.Descriptor{},
	}))
	return &Image{config: config, manifest: manifest}
}

// must is for what cannot fail: JSON of structs that this package has filled. A panic ends
// the test that uses the fake.
func must(text []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return text
}

// ID is the image ID: the digest of the config.
func (i *Image) ID() string { return digest.FromBytes(i.config).String() }

// idOf is what the engine calls its ID.
func (e *Engine) idOf(image *Image) string {
	if e.Kind == DockerContainerd {
		return digest.FromBytes(image.manifest).String()
	}
	return image.ID()
}

// ContentOf is what an image that is built from a folder says of it: the names of its
// files, and what is in them.
func ContentOf(folder string) (string, error) {
	var all strings.Builder
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		fmt.Fprintf(&all, "%s: %s\n", strings.TrimPrefix(path, folder), text)
		return err
	})
	return all.String(), err
}

// inspect is `image inspect`.
func (e *Engine) inspect(to io.Writer, reference string) error {
	image, _, err := e.find(reference)
	if err != nil {
		return err
	}
	id := e.idOf(image)
	answer := map[string]any{
		"RepoTags": e.namesOf(image), "Os": "linux", "Architecture": "amd64", "Size": len(image.config),
		"Created": image.made.Format(time.RFC3339Nano), "RootFS": map[string]any{"Layers": []string{}},
	}
	switch e.Kind {
	case Podman:
		id = strings.TrimPrefix(id, "sha256:")
		answer["ManifestType"] = ocispec.MediaTypeImageManifest
		answer["GraphDriver"] = map[string]any{"Name": "overlay"}
	case Docker:
		answer["GraphDriver"] = map[string]any{"Name": "overlay2"}
	case DockerContainerd:
		answer["GraphDriver"] = map[string]any{"Name": "overlayfs"}
	}
	answer["Id"] = id
	return json.NewEncoder(to).Encode([]any{answer})
}

// save writes an image as the engine does: podman and docker's own store as a docker
// archive, docker with containerd's store as an OCI layout.
func (e *Engine) save(to io.Writer, image *Image) error {
	if e.Kind == DockerContainerd {
		index := ocispec.Index{
			Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex,
			Manifests: []ocispec.Descriptor{{
				MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(image.manifest),
				Size: int64(len(image.manifest)), Platform: &ocispec.Platform{OS: "linux", Architecture: "amd64"},
			}},
		}
		return writeTar(to, []file{
			{blob(image.config), image.config},
			{blob(image.manifest), image.manifest},
			{ocispec.ImageIndexFile, must(json.Marshal(index))},
			{ocispec.ImageLayoutFile, must(json.Marshal(ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion}))},
		})
	}
	return image.Archive(to)
}

// Archive writes the image as a docker archive that has its names.
func (i *Image) Archive(to io.Writer, names ...string) error {
	config := digest.FromBytes(i.config).Encoded() + ".json"
	manifest := must(json.Marshal([]map[string]any{{"Config": config, "RepoTags": names, "Layers": []string{}}}))
	return writeTar(to, []file{{config, i.config}, {"manifest.json", manifest}})
}

func blob(content []byte) string { return "blobs/sha256/" + digest.FromBytes(content).Encoded() }

type file struct {
	name    string
	content []byte
}

func writeTar(to io.Writer, files []file) error {
	archive := tar.NewWriter(to)
	for _, one := range files {
		if err := archive.WriteHeader(&tar.Header{
			Name: one.name, Mode: 0o644, Size: int64(len(one.content)),
			Format: tar.FormatUSTAR,
		}); err != nil {
			return err
		}
		if _, err := archive.Write(one.content); err != nil {
			return err
		}
	}
	return archive.Close()
}
