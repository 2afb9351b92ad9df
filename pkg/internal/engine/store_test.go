package engine

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
	"github.com/vbatts/tar-split/tar/asm"
	"github.com/vbatts/tar-split/tar/storage"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// oddLayer is a layer whose archive is not as a tar program of today writes it.
func oddLayer(t *testing.T) v1.Layer {
	t.Helper()
	var text bytes.Buffer
	writer := tar.NewWriter(&text)
	for _, header := range []*tar.Header{
		{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "./program", Mode: 0o755, Size: 3},
		{Name: "/rooted", Mode: 0o644, Size: 3},
		{Name: "two\nlines", Mode: 0o644, Size: 3},
		{Name: "empty", Mode: 0o644},
		{Name: "hard", Typeflag: tar.TypeLink, Linkname: "program"},
		{Name: "soft", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
		{Name: strings.Repeat("long", 60), Mode: 0o644, Size: 3, PAXRecords: map[string]string{"SCHILY.xattr.user.x": "y"}},
		{Name: "large", Mode: 0o644, Size: 3 << 20},
	} {
		if err := writer.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Write(bytes.Repeat([]byte("x"), int(header.Size))); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text.Bytes())), nil }, tarball.WithMediaType(types.OCIUncompressedLayer))
	if err != nil {
		t.Fatal(err)
	}
	return layer
}

// inStore is an image in docker's own store, and what docker says of it.
func inStore(t *testing.T) (v1.Image, Image) {
	t.Helper()
	return inStoreOf(t, inspected{}, dockerOverlay)
}

// inStoreOf is an image in the store of an engine that says so of its images.
func inStoreOf(t *testing.T, driver inspected, name string) (v1.Image, Image) {
	t.Helper()
	image, said := built(t)
	image, err := mutate.AppendLayers(image, oddLayer(t))
	if err != nil {
		t.Fatal(err)
	}
	id, err := image.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	said.EngineID, said.ImageID, said.DiffIDs = id.String(), id.String(), nil
	for _, diffID := range config.RootFS.DiffIDs {
		said.DiffIDs = append(said.DiffIDs, digest.Digest(diffID.String()))
	}

	root := t.TempDir()
	driver.RootFS.Layers, driver.GraphDriver.Name = said.DiffIDs, name
	var folders []string
	for n := range said.DiffIDs {
		folders = append(folders, filepath.Join(root, name, fmt.Sprintf("cache%d", n), "diff"))
	}
	slices.Reverse(folders)
	driver.GraphDriver.Data.UpperDir, driver.GraphDriver.Data.LowerDir = folders[0], strings.Join(folders[1:], ":")
	if said.stored = driver.stored(said.EngineID); said.stored == nil {
		t.Fatal("the store's places are not found")
	}
	text, err := image.RawConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, said.stored.config, text)
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for n, layer := range layers {
		unpack(t, layer, said.stored.layers[n])
	}
	return image, said
}

func writeFile(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// unpack writes a layer as docker's store has it.
func unpack(t *testing.T, layer v1.Layer, to storedLayer) {
	t.Helper()
	content, err := layer.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	var description bytes.Buffer
	zipped := gzip.NewWriter(&description)
	taken, done, err := asm.NewInputTarStreamWithDone(content, storage.NewJSONPacker(zipped), storage.NewDiscardFilePutter())
	if err != nil {
		t.Fatal(err)
	}
	for archive := tar.NewReader(taken); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			writeFile(t, filepath.Join(to.files, header.Name), text)
		}
	}
	if _, err := io.Copy(io.Discard, taken); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	writeFile(t, to.description, description.Bytes())
}

// contained answers as the container does that reads docker's store.
type contained struct {
	host
	// mounts are what it was given.
	mounts map[string]string
}

func (c *contained) Run(ctx context.Context, command hostexec.Command) error {
	if command.Argv[1] != "run" {
		return c.host.Run(ctx, command)
	}
	c.mounts = map[string]string{}
	for n, word := range command.Argv {
		if word == "--mount" {
			source, target, _ := strings.Cut(strings.TrimPrefix(command.Argv[n+1], "type=bind,readonly,source="), ",target=")
			c.mounts[target] = source
		}
	}
	for {
		var length [8]byte
		if _, err := io.ReadFull(command.Stdin, length[:]); err != nil {
			return nil
		}
		path := make([]byte, binary.BigEndian.Uint64(length[:]))
		if _, err := io.ReadFull(command.Stdin, path); err != nil {
			return err
		}
		text, err := os.ReadFile(c.where(string(path)))
		if err != nil {
			return err
		}
		if _, err := command.Stdout.Write(append(binary.BigEndian.AppendUint64(nil, uint64(len(text))), text...)); err != nil {
			return err
		}
	}
}

// where is the file that is mounted at a path.
func (c *contained) where(path string) string {
	for target, source := range c.mounts {
		if inside, below := strings.CutPrefix(path, target+"/"); below {
			return filepath.Join(source, inside)
		}
	}
	return c.mounts[path]
}

func TestSingleLayersAreReadOutOfDockersStore(t *testing.T) {
	t.Parallel()
	for what, container := range map[string]bool{"which this process may read": false, "by a container": true} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			_, said := inStore(t)
			n := &node{has: said.DiffIDs[:2]}
			got, why, err := readStore(t, said, container, &contained{}, n)
			if err != nil || why != nil || got.ID.String() != said.EngineID || len(got.Config) == 0 {
				t.Fatalf("read %s, %v, the whole because %v", got.ID, err, why)
			}
			if want := said.DiffIDs[2:]; !slices.Equal(n.got, want) {
				t.Errorf("got %v, want only %v", n.got, want)
			}
		})
	}
}

// readStore reads an image out of docker's store, directly or by a container.
func readStore(t *testing.T, said Image, container bool, c *contained, n *node) (image ociimage.Image, why, err error) {
	t.Helper()
	if !container {
		return readAll(t, said, c, n)
	}
	store := &orWhole{
		Source: &storedImage{image: said, open: func(ctx context.Context, layers []int) (storeFiles, error) {
			return said.openContainer(ctx, c, "nodes:image", layers)
		}},
		whole: func(because error) ociimage.Source {
			why = because
			return said.stream(t.Context(), c, "linux/amd64")
		},
	}
	image, err = store.Read(t.Context(), n)
	return image, why, errors.Join(err, store.Close())
}

func TestSingleLayersAreReadOutOfPodmansStore(t *testing.T) {
	t.Parallel()
	for _, format := range []types.MediaType{types.OCIManifestSchema1, types.DockerManifestSchema2} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			_, said := inStoreOf(t, inspected{ManifestType: string(format)}, podmanOverlay)
			said.isPodman, said.manifestType = true, string(format)
			n := &node{has: said.DiffIDs[:2]}
			got, why, err := readAll(t, said, host{}, n)
			if err != nil || why != nil || got.ID.String() != said.EngineID {
				t.Fatalf("read %s, %v, the whole because %v", got.ID, err, why)
			}
			if want := said.DiffIDs[2:]; !slices.Equal(n.got, want) {
				t.Errorf("got %v, want only %v", n.got, want)
			}
		})
	}
}

func TestAStoreThatIsNotAsItWasIsMadeGoodByTheWholeImage(t *testing.T) {
	t.Parallel()
	for what, spoil := range map[string]func(t *testing.T, at *stored){
		"a file has other content": func(t *testing.T, at *stored) {
			writeFile(t, filepath.Join(at.layers[3].files, "program"), []byte("yyy"))
		},
		"a file became longer": func(t *testing.T, at *stored) {
			writeFile(t, filepath.Join(at.layers[3].files, "program"), []byte("yyyyyy"))
		},
		"a file became shorter": func(t *testing.T, at *stored) {
			writeFile(t, filepath.Join(at.layers[3].files, "program"), nil)
		},
		"a file is gone": func(t *testing.T, at *stored) {
			if err := os.Remove(filepath.Join(at.layers[3].files, "program")); err != nil {
				t.Fatal(err)
			}
		},
		"a description is no description": func(t *testing.T, at *stored) { writeFile(t, at.layers[3].description, []byte("x")) },
		"the config is another's": func(t *testing.T, at *stored) {
			writeFile(t, at.config, []byte(`{"os":"linux","architecture":"amd64"}`))
		},
	} {
		for _, container := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, by a container: %v", what, container), func(t *testing.T) {
				t.Parallel()
				image, said := inStore(t)
				c := &contained{host: host{"engine save": saves(t, image)}}
				spoil(t, said.stored)
				n := &node{}
				got, why, err := readStore(t, said, container, c, n)
				if err != nil || got.ID.String() != said.EngineID || why == nil {
					t.Fatalf("read %s, %v, the whole because %v", got.ID, err, why)
				}
				for _, diffID := range said.DiffIDs {
					if !slices.Contains(n.got, diffID) {
						t.Errorf("layer %s did not come", diffID)
					}
				}
			})
		}
	}
}

func TestTheContainerSeesOnlyTheLayersThatAreWanted(t *testing.T) {
	t.Parallel()
	_, said := inStore(t)
	c := &contained{}
	if _, _, err := readStore(t, said, true, c, &node{has: said.DiffIDs[1:]}); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"/image/config": said.stored.config, "/image/0/files": said.stored.layers[0].files, "/image/0/description": said.stored.layers[0].description,
	}
	if fmt.Sprint(c.mounts) != fmt.Sprint(want) {
		t.Errorf("it was given %v, want %v", c.mounts, want)
	}
}

func TestAnImageOfAnotherStoreHasNoPlaces(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(*inspected){
		"another driver":         func(i *inspected) { i.GraphDriver.Name = "vfs" },
		"another engine":         func(i *inspected) { i.ManifestType = string(types.OCIManifestSchema1) },
		"a layer of no digest":   func(i *inspected) { i.RootFS.Layers = []digest.Digest{"sha256:1"} },
		"no folders":             func(i *inspected) { i.GraphDriver.Data.UpperDir = "" },
		"fewer folders":          func(i *inspected) { i.RootFS.Layers = []digest.Digest{oneID, twoID} },
		"folders somewhere else": func(i *inspected) { i.GraphDriver.Data.UpperDir = "/elsewhere/diff" },
		"a relative folder":      func(i *inspected) { i.GraphDriver.Data.UpperDir = "var/overlay2/x/diff" },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var said inspected
			said.RootFS.Layers, said.GraphDriver.Name = []digest.Digest{oneID}, dockerOverlay
			said.GraphDriver.Data.UpperDir = "/var/lib/docker/overlay2/x/diff"
			if said.stored(oneID) == nil {
				t.Fatal("no places where there are some")
			}
			change(&said)
			if got := said.stored(oneID); got != nil {
				t.Errorf("places %+v", got)
			}
		})
	}
}
