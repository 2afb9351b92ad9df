package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// node is a receiver that has some layers.
type node struct{ has, got []digest.Digest }

func (n *node) Wants(_ context.Context, diffID digest.Digest) (bool, error) {
	return !slices.Contains(n.has, diffID) && !slices.Contains(n.got, diffID), nil
}

func (n *node) Layer(_ context.Context, want digest.Digest, content io.Reader) (digest.Digest, error) {
	got, err := digest.FromReader(content)
	if err == nil && want != "" && got != want {
		err = &ociimage.ContentError{What: "layer", Want: want, Got: got}
	}
	if err == nil {
		n.got = append(n.got, got)
	}
	return got, err
}

// built is an image of three layers and what an engine says of it.
func built(t *testing.T) (v1.Image, Image) {
	t.Helper()
	image, err := random.Image(1000, 3)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", "amd64"
	if image, err = mutate.ConfigFile(image, config); err != nil {
		t.Fatal(err)
	}
	id, err := image.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	said := Image{Engine: "engine", EngineID: id.String(), ImageID: id.String(), Platform: "linux/amd64"}
	for _, diffID := range config.RootFS.DiffIDs {
		said.DiffIDs = append(said.DiffIDs, digest.Digest(diffID.String()))
	}
	return image, said
}

// saves writes the image as `docker save` does.
func saves(t *testing.T, image v1.Image) func([]string, io.Writer) error {
	return func(_ []string, out io.Writer) error {
		tag, err := name.NewTag("localhost/x:dev")
		if err != nil {
			t.Error(err)
		}
		return tarball.Write(tag, image, out)
	}
}

// readAll reads the image into a node and returns also why all of it was saved.
func readAll(t *testing.T, i Image, h hostexec.Runner, n *node) (image ociimage.Image, why, err error) {
	t.Helper()
	source, err := i.Open(t.Context(), h, Reading{
		Platform: "linux/amd64", Helper: "nodes:image",
		Present: func(diffID digest.Digest) bool { return slices.Contains(n.has, diffID) },
		Whole:   func(because error) { why = because },
	})
	if err != nil {
		t.Fatal(err)
	}
	image, err = source.Read(t.Context(), n)
	return image, why, errors.Join(err, source.Close())
}

func TestTheWholeImageIsSavedWhereNothingElseIsPossible(t *testing.T) {
	t.Parallel()
	image, said := built(t)
	n := &node{has: said.DiffIDs[:1]}
	got, why, err := readAll(t, said, host{"engine save": saves(t, image)}, n)
	if err != nil || got.ID.String() != said.EngineID {
		t.Fatalf("read %s, %v", got.ID, err)
	}
	if why == nil {
		t.Error("nobody is told that the whole image is saved")
	}
	if want := said.DiffIDs[1:]; len(n.got) < len(want) || !slices.Contains(n.got, want[0]) || !slices.Contains(n.got, want[1]) {
		t.Errorf("got %v, want %v", n.got, want)
	}
}

func TestAnEngineThatBreaksOffIsSaid(t *testing.T) {
	t.Parallel()
	_, said := built(t)
	_, _, err := readAll(t, said, host{"engine save": fails(t, "disk on fire")}, &node{})
	if err == nil || !strings.Contains(err.Error(), "disk on fire") {
		t.Errorf("error %v", err)
	}
}

// podmanSaves does as podman: blobs that are there are left alone.
func podmanSaves(t *testing.T, image v1.Image) func([]string, io.Writer) error {
	return func(argv []string, _ io.Writer) error {
		dir := argv[slices.Index(argv, "--output")+1]
		layers, err := image.Layers()
		if err != nil {
			return err
		}
		manifest := `{"schemaVersion":2,"config":` + describe(t, image) + `,"layers":[`
		for i, layer := range layers {
			diffID, err := layer.DiffID()
			if err != nil {
				return err
			}
			if i > 0 {
				manifest += ","
			}
			manifest += fmt.Sprintf(`{"mediaType":%q,"digest":%q}`, types.OCIUncompressedLayer, diffID)
			file := filepath.Join(dir, "blobs", "sha256", diffID.Hex)
			if _, err := os.Stat(file); err == nil {
				continue
			}
			content, err := layer.Uncompressed()
			if err != nil {
				return err
			}
			text, err := io.ReadAll(content)
			if err != nil {
				return err
			}
			if err := os.WriteFile(file, text, 0o600); err != nil {
				return err
			}
		}
		config, err := image.RawConfigFile()
		if err != nil {
			return err
		}
		at, err := layout.Write(dir, empty.Index)
		if err != nil {
			return err
		}
		for _, text := range []string{string(config), manifest + "]}"} {
			hash, _, err := v1.SHA256(strings.NewReader(text))
			if err != nil {
				return err
			}
			if err := at.WriteBlob(hash, io.NopCloser(strings.NewReader(text))); err != nil {
				return err
			}
			if err := at.WriteFile("index.json", []byte(fmt.Sprintf(`{"manifests":[{"mediaType":%q,"digest":%q}]}`, types.OCIManifestSchema1, hash)), 0o600); err != nil {
				return err
			}
		}
		return nil
	}
}

func describe(t *testing.T, image v1.Image) string {
	t.Helper()
	id, err := image.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q}`, types.OCIConfigJSON, id)
}

func TestPodmanSavesOnlyWhatIsMissing(t *testing.T) {
	t.Parallel()
	image, said := built(t)
	said.isPodman, said.manifestType = true, string(types.OCIManifestSchema1)
	n := &node{has: said.DiffIDs[:2]}
	got, _, err := readAll(t, said, host{"engine save --quiet --uncompressed --format oci-dir": podmanSaves(t, image)}, n)
	if err != nil || got.ID.String() != said.EngineID {
		t.Fatalf("read %s, %v", got.ID, err)
	}
	if len(n.got) != 1 || n.got[0] != said.DiffIDs[2] {
		t.Errorf("got %v, want only %s", n.got, said.DiffIDs[2])
	}
}

func TestALayerThatWentAwaySinceThePlanComesWithTheWhole(t *testing.T) {
	t.Parallel()
	image, said := built(t)
	said.isPodman, said.manifestType = true, string(types.OCIManifestSchema1)
	answers := host{"engine save --quiet -- ": saves(t, image), "engine save --quiet --uncompressed --format oci-dir": podmanSaves(t, image)}
	planned := said.DiffIDs[:2]
	source, err := said.Open(t.Context(), answers, Reading{
		Platform: "linux/amd64", Present: func(diffID digest.Digest) bool { return slices.Contains(planned, diffID) }, Whole: func(error) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{has: planned[:1]}
	got, err := source.Read(t.Context(), n)
	if err = errors.Join(err, source.Close()); err != nil || got.ID.String() != said.EngineID {
		t.Fatalf("read %s, %v", got.ID, err)
	}
	if !slices.Contains(n.got, said.DiffIDs[1]) || !slices.Contains(n.got, said.DiffIDs[2]) {
		t.Errorf("got %v", n.got)
	}
}

func TestPodmanSavesTheWholeWhereItCannotLeaveOut(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(*Image){
		"in docker's format": func(i *Image) { i.manifestType = string(types.DockerManifestSchema2) },
		"podman too old":     func(*Image) {},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			image, said := built(t)
			said.isPodman, said.manifestType = true, string(types.OCIManifestSchema1)
			change(&said)
			n := &node{has: said.DiffIDs[:2]}
			answers := host{"engine save --quiet -- ": saves(t, image), "engine save --quiet --uncompressed": fails(t, "unknown flag: --uncompressed")}
			if got, why, err := readAll(t, said, answers, n); err != nil || got.ID.String() != said.EngineID || why == nil {
				t.Fatalf("read %s, %v, the whole because %v", got.ID, err, why)
			}
			if !slices.Contains(n.got, said.DiffIDs[2]) {
				t.Errorf("got %v", n.got)
			}
		})
	}
}

// lost is a node that fails while it takes a layer.
type lost struct{ failed error }

func (l *lost) Wants(context.Context, digest.Digest) (bool, error) { return true, l.failed }

func (l *lost) Layer(context.Context, digest.Digest, io.Reader) (digest.Digest, error) {
	l.failed = errors.New("the node is gone")
	return "", l.failed
}

func TestTheWholeImageIsNotSavedForNodesThatAreGone(t *testing.T) {
	t.Parallel()
	_, said := inStore(t)
	source, err := said.Open(t.Context(), host{}, Reading{
		Platform: "linux/amd64", Present: func(digest.Digest) bool { return false },
		Whole: func(why error) { t.Errorf("the whole image is saved because %v", why) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = source.Read(t.Context(), &lost{}); err == nil || !strings.Contains(err.Error(), "the node is gone") {
		t.Errorf("error %v", err)
	}
	if err := source.Close(); err != nil {
		t.Error(err)
	}
}
