package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const layoutImage = "localhost/bench-big-layout:dev"

// layout measures loading an OCI layout of which the small layer changed, against
// kind's load of the same in a tar file.
func (l *loading) layout(ctx context.Context) error {
	if err := l.wipe(ctx); err != nil {
		return err
	}
	dir, archive := filepath.Join(l.dir, "layout"), filepath.Join(l.dir, "layout.tar")
	defer os.Remove(archive)
	base, err := l.layoutBase()
	if err != nil {
		return err
	}
	write := func() error {
		err := l.writeLayout(base, dir)
		if err == nil && l.ordinary != nil {
			err = l.ordinary.Own(dir)
		}
		if err != nil {
			return err
		}
		_, err = l.output(ctx, "tar", "-C", dir, "-cf", archive, ".")
		return err
	}
	var ours, peer []time.Duration
	l.memory = 0
	// The first of each is the cold one, and does not count.
	for round := range loadRounds + 1 {
		if err := write(); err != nil {
			return err
		}
		took, err := l.ours(ctx, "oci:"+dir)
		if err != nil {
			return err
		}
		if err := write(); err != nil {
			return err
		}
		theirs, err := l.time(ctx, "bash", "-ec", `KIND_EXPERIMENTAL_PROVIDER="$ENGINE" kind load image-archive --name "$1" "$2"`, "peer", l.cluster, archive)
		if err != nil {
			return err
		}
		if round > 0 {
			ours, peer = append(ours, took), append(peer, theirs)
		}
	}
	l.add(fmt.Sprintf("`load` of an OCI layout into %d, small layer changed, against `kind load image-archive` of the same", len(l.nodes)),
		fmt.Sprintf("%s, %d MB", spread(ours), l.memory/1000), spread(peer), faster(peer, ours), "18×, aim 30×")
	return l.wipe(ctx)
}

// layoutBase is an image of the large layers, gzip compressed.
func (l *loading) layoutBase() (v1.Image, error) {
	image := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	image = mutate.ConfigMediaType(image, types.OCIConfigJSON)
	for i := range bigLayers {
		layer, err := l.layerOf(filepath.Join(l.dir, fmt.Sprintf("big%d", i)))
		if err == nil {
			image, err = mutate.AppendLayers(image, layer)
		}
		if err != nil {
			return nil, err
		}
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	return mutate.ConfigFile(image, config)
}

// layerOf is a layer of one file.
func (l *loading) layerOf(file string) (v1.Layer, error) {
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		reader, writer := io.Pipe()
		go func() { writer.CloseWithError(writeTar(writer, file)) }()
		return reader, nil
	}, tarball.WithCompressionLevel(gzip.BestSpeed), tarball.WithMediaType(types.OCILayer))
}

func writeTar(to io.Writer, file string) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out := tar.NewWriter(to)
	if err := out.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: filepath.Base(file), Mode: 0o644, Size: info.Size()}); err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}

// writeLayout writes the image with another small layer; large layers that are
// there already are left alone.
func (l *loading) writeLayout(base v1.Image, dir string) error {
	small := filepath.Join(l.dir, "small-layer")
	if err := random(small, 1_000_000); err != nil {
		return err
	}
	layer, err := l.layerOf(small)
	if err != nil {
		return err
	}
	image, err := mutate.AppendLayers(base, layer)
	if err != nil {
		return err
	}
	written, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	return written.AppendImage(image, layout.WithAnnotations(map[string]string{"io.containerd.image.name": layoutImage}))
}
