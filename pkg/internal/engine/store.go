package engine

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/vbatts/tar-split/tar/asm"
	"github.com/vbatts/tar-split/tar/storage"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// The storage drivers of docker and podman whose layers are read.
const (
	dockerOverlay = "overlay2"
	podmanOverlay = "overlay"
)

// stored says where an engine's own store has an image's files, in the engine's own paths:
// it runs Linux, also where this host does not
// (github.com/moby/moby/v2/daemon/internal/layer and image, go.podman.io/storage).
type stored struct {
	config string
	layers []storedLayer
}

// storedLayer is a layer: the folder of its unpacked files, and the description of the
// tar archive that they came in.
type storedLayer struct{ files, description string }

// stored derives the places from the folders that the engine names of its driver: those
// of the layers below another stand in LowerDir, the topmost first. It is nil where they
// are not as expected.
func (i inspected) stored(id string) *stored {
	driver := i.GraphDriver.Name
	var folders []string
	for _, folder := range append([]string{i.GraphDriver.Data.UpperDir},
		strings.Split(i.GraphDriver.Data.LowerDir, ":")...) {
		if folder != "" {
			folders = append(folders, folder)
		}
	}
	malformed := func(d digest.Digest) bool { return d.Validate() != nil }
	if len(folders) == 0 || len(folders) != len(i.RootFS.Layers) || malformed(digest.Digest(id)) ||
		slices.ContainsFunc(i.RootFS.Layers, malformed) {
		return nil
	}
	slices.Reverse(folders)
	where := &stored{}
	chains := ociimage.Image{DiffIDs: i.RootFS.Layers}.ChainIDs()
	for n, folder := range folders {
		// ROOT/DRIVER/LAYER/diff
		layer := path.Dir(folder)
		root, base := path.Dir(path.Dir(layer)), path.Base(layer)
		if !path.IsAbs(folder) || path.Join(root, driver, base, "diff") != folder {
			return nil
		}
		one := storedLayer{files: folder}
		switch {
		case driver == dockerOverlay && i.ManifestType == "":
			one.description = path.Join(root, "image", driver, "layerdb", inFolder(chains[n]), "tar-split.json.gz")
			where.config = path.Join(root, "image", driver, "imagedb", "content", inFolder(digest.Digest(id)))
		case driver == podmanOverlay && i.ManifestType != "":
			one.description = path.Join(root, driver+"-layers", base+".tar-split.gz")
			where.config = path.Join(root, driver+"-images", digest.Digest(id).Encoded(),
				"="+base64.StdEncoding.EncodeToString([]byte(id)))
		default:
			return nil
		}
		where.layers = append(where.layers, one)
	}
	return where
}

// inFolder is a digest as docker's store has it in a path.
func inFolder(d digest.Digest) string { return path.Join(d.Algorithm().String(), d.Encoded()) }

// storeFiles reads an image out of an engine's store.
type storeFiles interface {
	// config is the image's config.
	config() ([]byte, error)
	// layer writes layer n as the tar archive that it came in.
	layer(n int) (io.ReadCloser, error)
	// Close ends what reads the files, and waits for that.
	Close() error
}

// storedImage is an image in an engine's own store, of which single layers are read as
// the engine's save does. All that is read is held against its digest.
type storedImage struct {
	image Image
	// open makes the layers with these numbers readable.
	open func(ctx context.Context, layers []int) (storeFiles, error)

	opened storeFiles
}

var _ ociimage.Source = (*storedImage)(nil)

// Image implements ociimage.Source.
func (s *storedImage) Image() (ociimage.Image, bool) { return s.image.Known(), true }

// Close implements ociimage.Source.
func (s *storedImage) Close() error {
	if s.opened == nil {
		return nil
	}
	// What was read was checked; how reading ended does not count.
	_ = s.opened.Close()
	return nil
}

// Read implements ociimage.Source.
func (s *storedImage) Read(ctx context.Context, to ociimage.Receiver) (ociimage.Image, error) {
	var wanted []int
	for n, diffID := range s.image.DiffIDs {
		wants, err := to.Wants(ctx, diffID)
		if err != nil {
			return s.image.Known(), err
		}
		if wants {
			wanted = append(wanted, n)
		}
	}
	files, err := s.open(ctx, wanted)
	if err != nil {
		return s.image.Known(), err
	}
	s.opened = files
	config, err := files.config()
	if err != nil {
		return s.image.Known(), err
	}
	image, err := ociimage.ParseConfig(config)
	if err != nil {
		return image, err
	}
	if image.ID.String() != s.image.ImageID {
		return image, &ociimage.ContentError{What: "its config", Want: digest.Digest(s.image.ImageID), Got: image.ID}
	}
	for n, diffID := range image.DiffIDs {
		// The same layer can be in it twice.
		wants, err := to.Wants(ctx, diffID)
		switch {
		case err != nil:
			return image, err
		case !wants:
			continue
		case !slices.Contains(wanted, n):
			return image, fmt.Errorf("layer %s went away from a node meanwhile", ociimage.ShortID(diffID.String()))
		}
		if err := handLayer(ctx, to, files, n, diffID); err != nil {
			return image, err
		}
	}
	image.Names = s.image.Names
	return image, nil
}

func handLayer(ctx context.Context, to ociimage.Receiver, files storeFiles, n int, diffID digest.Digest) error {
	content, err := files.layer(n)
	if err != nil {
		return err
	}
	_, err = to.Layer(ctx, diffID, content)
	return errors.Join(err, content.Close())
}

// assemble writes a layer as the tar archive that a description tells of.
func assemble(description io.Reader, files storage.FileGetter) io.ReadCloser {
	return asm.NewOutputTarStream(files, storage.NewJSONUnpacker(description))
}

// localName is a file's name in a layer's folder. An archive may write it as /name or
// ./name.
func localName(name string) (string, error) {
	local := strings.TrimLeft(path.Clean(name), "/")
	if local == "" || local == ".." || strings.HasPrefix(local, "../") {
		return "", fmt.Errorf("a file of the layer is called %q", name)
	}
	return local, nil
}
