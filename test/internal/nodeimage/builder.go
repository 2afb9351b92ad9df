// Package nodeimage gives the test cluster its node image: kind's own where it
// can be had, else one built from Go modules and Debian packages, for machines
// that reach no image registry. It must not know about clusters, and nothing
// that it builds goes into the repository.
package nodeimage

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/host"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/mounts"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/statedir"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/steps"
)

// Image is a node image that an engine has.
type Image struct {
	// Reference is what kind is told to run.
	Reference string
	// Stock is kind's own image, with its network plugin, proxy and DNS.
	Stock bool
}

// Builder makes node images. All fields are required.
type Builder struct {
	// State is the folder for caches and results.
	State string
	Facts host.Facts
	Log   io.Writer
}

// Resolve finds or makes a node image in an engine ("podman", "docker") whose
// environment is already set up. It prefers what is there over what has to be
// fetched, and fetching over building.
func (b Builder) Resolve(ctx context.Context, engine string) (Image, error) {
	if b.stockRuns() && has(ctx, engine, stockReference()) {
		return Image{Reference: stockReference(), Stock: true}, nil
	}
	in, err := b.inputs(ctx)
	if err != nil {
		return Image{}, fmt.Errorf("node image: %w", err)
	}
	own := Image{Reference: in.reference()}
	if has(ctx, engine, own.Reference) {
		return own, nil
	}
	// From here on it takes minutes: one process works, the others wait.
	unlock, err := statedir.Lock(ctx, b.State, "node-image", b.Log)
	if err != nil {
		return Image{}, err
	}
	defer unlock()
	if b.stockRuns() && b.pullStock(ctx, engine) {
		return Image{Reference: stockReference(), Stock: true}, nil
	}
	if has(ctx, engine, own.Reference) {
		return own, nil
	}
	archive, err := b.archive(ctx, in)
	if err != nil {
		return Image{}, fmt.Errorf("build node image: %w", err)
	}
	err = steps.Do(ctx, b.Log, fmt.Sprintf("loading the node image into %s", engine), func(ctx context.Context) error {
		return command.Run(ctx, engine, "load", "--input", archive)
	})
	if err != nil {
		return Image{}, fmt.Errorf("load node image: %w", err)
	}
	return own, nil
}

// archive is the image as a docker archive. It is kept, so that a second engine
// gets the image in seconds.
func (b Builder) archive(ctx context.Context, in inputs) (string, error) {
	file := filepath.Join(b.State, "node-"+in.hash+".tar")
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if err := b.tidy(in); err != nil {
		return "", err
	}
	var bins binaries
	var base string
	// Debian waits for the network and the disk, the compiler for neither.
	parts, partCtx := errgroup.WithContext(ctx)
	parts.Go(func() (err error) {
		bins, err = b.binaries(partCtx, in)
		return err
	})
	parts.Go(func() (err error) {
		base, err = b.rootfs(partCtx)
		return err
	})
	if err := parts.Wait(); err != nil {
		return "", err
	}
	err := steps.Do(ctx, b.Log, "assembling the node image", func(ctx context.Context) error {
		return b.assemble(ctx, in, bins, base, file)
	})
	return file, err
}

// tidy removes what killed runs and older versions have left. The caller has the lock,
// so nobody works on any of it.
func (b Builder) tidy(in inputs) error {
	for _, pattern := range []string{"node-*.tar", "assemble-*", "debootstrap-*", "*.tar.tmp", "bin/*"} {
		left, err := filepath.Glob(filepath.Join(b.State, pattern))
		if err != nil {
			return err
		}
		for _, name := range left {
			if slices.ContainsFunc(in.modules, func(m module) bool { return m.built() == filepath.Base(name) }) {
				continue
			}
			if err := mounts.RemoveAll(name); err != nil {
				return fmt.Errorf("remove what an earlier run left: %w", err)
			}
		}
	}
	return nil
}

// has reports whether the engine has the image. An engine that cannot answer
// has it not; the load that follows gives the better error.
func has(ctx context.Context, engine, reference string) bool {
	return command.Run(ctx, engine, "image", "inspect", "--format", "{{.Id}}", reference) == nil
}
