// Package scratchimage makes one-layer images FROM scratch without any engine:
// static binaries under a reference. The same inputs give the same image ID. It
// must not run anything.
package scratchimage

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Image describes an image.
type Image struct {
	// Reference is fully qualified: localhost/name:tag.
	Reference string
	// Also are more references of the same image.
	Also []string
	// Tar is a file with a ready layer, the lowest one; mostly there is none.
	Tar string
	// Files are a layer.
	Files []File
	// Layers are further layers on top, one per element; one of no files is an
	// empty layer.
	Layers     [][]File
	Entrypoint []string
	Env        []string
	Labels     map[string]string
	StopSignal string
	// Compress makes gzip layers. It does not change the image ID.
	Compress bool
}

// File is one file of a layer.
type File struct {
	// Path is absolute in the image; the leading slash may be missing.
	Path string
	// Source is a file of this machine, else Content is the content.
	Source  string
	Content []byte
	// Link makes it a symbolic link there, Same another name of a file of the layer.
	Link, Same string
	// Mode is 0644 if zero.
	Mode fs.FileMode
	// Attributes are extended ones, like user.x.
	Attributes map[string]string
}

// WriteArchive writes a docker archive, as `docker save` does, with all the
// images in it.
func WriteArchive(file string, images ...Image) error {
	tags := make(map[name.Tag]v1.Image, len(images))
	for _, image := range images {
		built, err := image.build()
		if err != nil {
			return fmt.Errorf("image %s: %w", image.Reference, err)
		}
		for _, reference := range append([]string{image.Reference}, image.Also...) {
			tag, err := name.NewTag(reference)
			if err != nil {
				return fmt.Errorf("image reference: %w", err)
			}
			tags[tag] = built
		}
	}
	if err := tarball.MultiWriteToFile(file, tags); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}

// ImageID is the config digest that the image will have: what a Kubernetes node
// calls its image ID.
func (i Image) ImageID() (string, error) {
	built, err := i.build()
	if err != nil {
		return "", err
	}
	id, err := built.ConfigName()
	return id.String(), err
}

func (i Image) build() (v1.Image, error) {
	image := empty.Image
	for _, open := range i.openers() {
		layer, err := newLayer(open, i.Compress)
		if err != nil {
			return nil, err
		}
		if image, err = mutate.AppendLayers(image, layer); err != nil {
			return nil, err
		}
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config.Entrypoint = i.Entrypoint
	config.Config.Env = i.Env
	config.Config.Labels = i.Labels
	config.Config.StopSignal = i.StopSignal
	return mutate.ConfigFile(image, config)
}

// openers give the content of each layer, the lowest first.
func (i Image) openers() []tarball.Opener {
	var all []tarball.Opener
	if i.Tar != "" {
		all = append(all, func() (io.ReadCloser, error) { return os.Open(i.Tar) })
	}
	for _, files := range append([][]File{i.Files}, i.Layers...) {
		if files != nil {
			all = append(all, func() (io.ReadCloser, error) { return layerReader(files), nil })
		}
	}
	return all
}

// layerReader streams a layer, so that a large one is never in memory.
func layerReader(files []File) io.ReadCloser {
	r, w := io.Pipe()
	go func() { w.CloseWithError(writeLayer(w, files)) }()
	return r
}

func writeLayer(w io.Writer, files []File) error {
	tw := tar.NewWriter(w)
	for _, dir := range folders(files) {
		if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755}); err != nil {
			return err
		}
	}
	for _, f := range files {
		if err := f.write(tw); err != nil {
			return err
		}
	}
	return tw.Close()
}

func (f File) write(tw *tar.Writer) error {
	var content io.Reader = bytes.NewReader(f.Content)
	size := int64(len(f.Content))
	if f.Source != "" {
		in, err := os.Open(f.Source)
		if err != nil {
			return err
		}
		defer in.Close()
		info, err := in.Stat()
		if err != nil {
			return err
		}
		content, size = in, info.Size()
	}
	mode := f.Mode
	if mode == 0 {
		mode = 0o644
	}
	// No time stamps and owners: they would make the image ID differ.
	header := &tar.Header{Typeflag: tar.TypeReg, Name: clean(f.Path), Mode: int64(mode.Perm()), Size: size}
	if mode&fs.ModeSetuid != 0 {
		header.Mode |= 0o4000
	}
	for name, value := range f.Attributes {
		header.PAXRecords = map[string]string{"SCHILY.xattr." + name: value}
	}
	switch {
	case f.Link != "":
		header.Typeflag, header.Linkname, header.Size = tar.TypeSymlink, f.Link, 0
	case f.Same != "":
		header.Typeflag, header.Linkname, header.Size = tar.TypeLink, clean(f.Same), 0
	}
	if err := tw.WriteHeader(header); err != nil {
		return err
	}
	_, err := io.Copy(tw, content)
	return err
}

// folders are all parents of the files, outer ones first.
func folders(files []File) []string {
	var dirs []string
	for _, f := range files {
		for dir := path.Dir(clean(f.Path)); dir != "."; dir = path.Dir(dir) {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }
