package scratchimage

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func example(t *testing.T) Image {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "binary")
	if err := os.WriteFile(binary, []byte("program"), 0o700); err != nil {
		t.Fatal(err)
	}
	return Image{
		Reference:  "localhost/x:1",
		Files:      []File{{Path: "/usr/bin/app", Source: binary, Mode: 0o755}, {Path: "etc/conf", Content: []byte("text")}},
		Layers:     [][]File{{{Path: "/data", Content: []byte("more")}}},
		Entrypoint: []string{"/usr/bin/app"},
		Labels:     map[string]string{"k": "v"},
	}
}

func TestArchive(t *testing.T) {
	image := example(t)
	file := filepath.Join(t.TempDir(), "image.tar")
	if err := WriteArchive(file, image); err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(image.Reference)
	if err != nil {
		t.Fatal(err)
	}
	read, err := tarball.ImageFromPath(file, &tag)
	if err != nil {
		t.Fatal(err)
	}
	config, err := read.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.Labels["k"] != "v" || !slices.Equal(config.Config.Entrypoint, image.Entrypoint) || config.OS != "linux" {
		t.Errorf("config %+v", config)
	}
	layers, err := read.Layers()
	if err != nil || len(layers) != 2 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	content, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for r := tar.NewReader(content); ; {
		header, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, header.Name)
	}
	if want := []string{"etc/", "usr/", "usr/bin/", "usr/bin/app", "etc/conf"}; !slices.Equal(names, want) {
		t.Errorf("layer has %q, want %q", names, want)
	}
	want, err := image.ImageID()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := read.ConfigName(); err != nil || got.String() != want {
		t.Errorf("image ID %s, want %s, %v", got, want, err)
	}
}

func TestImageIDDependsOnlyOnTheContent(t *testing.T) {
	first, second := example(t), example(t)
	second.Compress = true
	one, err := first.ImageID()
	if err != nil {
		t.Fatal(err)
	}
	two, err := second.ImageID()
	if err != nil || one != two {
		t.Errorf("%s and %s, %v", one, two, err)
	}
	second.Labels = map[string]string{"k": "other"}
	if three, err := second.ImageID(); err != nil || three == one {
		t.Errorf("a changed label gives the same ID, %v", err)
	}
}

func TestErrorsNameTheImage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "image.tar")
	for _, image := range []Image{
		{Reference: "NOT VALID"},
		{Reference: "localhost/x:1", Files: []File{{Path: "/x", Source: "/no/such/file"}}},
	} {
		if err := WriteArchive(file, image); err == nil {
			t.Errorf("%s: no error", image.Reference)
		}
	}
}
