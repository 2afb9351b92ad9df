package kindtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/scratchimage"
)

// Scratch is what an image may have beside its binary.
type Scratch struct {
	// Args follow the binary in the entrypoint.
	Args []string
	Env  []string
	// Files are in the binary's layer, each of Layers is one more on top.
	Files  []ScratchFile
	Layers [][]ScratchFile
	Labels map[string]string
}

// ScratchFile is one file of a layer, from a file here or from memory.
type ScratchFile = scratchimage.File

// BuildScratchImage makes an image FROM scratch with a static binary as its
// entrypoint and loads it into an engine (Podman or Docker, whose environment
// must be set) under exactly ref, which must be fully qualified. It returns the
// image ID: the config digest, the same for the same inputs.
func BuildScratchImage(ctx context.Context, engine, ref, binary string, opts Scratch) (imageID string, err error) {
	dir, err := os.MkdirTemp("", "e2eimage-image-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	archive := filepath.Join(dir, "image.tar")
	imageID, err = WriteScratchArchive(archive, ref, binary, opts)
	if err != nil {
		return "", err
	}
	if err := command.Run(ctx, engine, "load", "--input", archive); err != nil {
		return "", fmt.Errorf("load %s: %w", ref, err)
	}
	return imageID, nil
}

// WriteScratchArchive writes the image as a docker archive, like `docker save`.
func WriteScratchArchive(file, ref, binary string, opts Scratch) (imageID string, err error) {
	program := "/" + filepath.Base(binary)
	image := scratchimage.Image{
		Reference:  ref,
		Files:      append([]ScratchFile{{Path: program, Source: binary, Mode: fs.FileMode(0o755)}}, opts.Files...),
		Layers:     opts.Layers,
		Entrypoint: append([]string{program}, opts.Args...),
		Env:        opts.Env,
		Labels:     opts.Labels,
	}
	if err := scratchimage.WriteArchive(file, image); err != nil {
		return "", err
	}
	return image.ImageID()
}
