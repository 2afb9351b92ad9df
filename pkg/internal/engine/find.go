package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/internal/nearest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// engines are those that are known. Podman first: where docker is podman in
// disguise, both show the same images, and podman is called by its name.
var engines = []string{"podman", "docker"}

// Image is an image that an engine has.
type Image struct {
	// Engine that has it, docker or podman: the command that is called.
	Engine string
	// EngineID is what the engine calls its ID, sha256:<64 hex>: the image ID, or with
	// docker's containerd store the digest of a manifest or index.
	EngineID string
	// ImageID is the digest of its config, sha256:<64 hex>; "" where the engine does not
	// say it.
	ImageID string
	// Reference that it was found by.
	Reference string
	// Names that it has there, fully qualified, sorted.
	Names []string
	// Platform is "" where the engine has the content for others only, and says none.
	Platform string
	DiffIDs  []digest.Digest
	// Size in bytes as the engine counts it.
	Size int64
	// Created is when it was built, as the engine says; zero where it does not.
	Created time.Time

	// isPodman is set where the engine is podman, whatever its command is called.
	isPodman bool
	// inContainerd is set where docker keeps it in containerd's store.
	inContainerd bool
	// stored says where the engine's own store has it; nil where that is not known.
	stored *stored
	// temporary is set where Reference is a name that Build has given it, until Remove.
	temporary *scratch
	// manifestType as podman says it.
	manifestType string
}

// NotFoundError says that no engine has an image.
type NotFoundError struct {
	Reference string
	// Asked are the engines that answered; Near what they have that is like it.
	Asked, Near []string
	// Engines says why some could not be asked; Silent is one of them.
	Engines []error
	Silent  string
}

func (e *NotFoundError) Error() string {
	message := fmt.Sprintf("no image %s in %s", e.Reference, strings.Join(e.Asked, " or "))
	if len(e.Asked) == 0 {
		message = fmt.Sprintf("no container engine here to take the image %s from; install docker or podman, or give an "+
			"archive: docker-archive:FILE, oci:FOLDER, oci-archive:FILE, -", e.Reference)
	}
	if len(e.Asked) == 0 {
		for _, err := range e.Engines {
			message += "\n  " + err.Error()
		}
	} else if len(e.Engines) > 0 {
		// Mostly it is not running, and nobody means it.
		message += " (" + e.Silent + " did not answer, and may have it)"
	}
	if len(e.Near) > 0 {
		message += "; did you mean " + strings.Join(e.Near, ", ") + "?"
	}
	return message
}

// IsGone tells that an error is the absence of an image, said by all engines that
// were asked: one that does not answer may have it.
func IsGone(err error) bool {
	var absent *NotFoundError
	return errors.As(err, &absent) && len(absent.Engines) == 0
}

// AmbiguousError says that both engines have an image under one name, not the
// same.
type AmbiguousError struct{ Images []Image }

func (e *AmbiguousError) Error() string {
	message := fmt.Sprintf("docker and podman both have an image %s, but not the same:", e.Images[0].Reference)
	for _, image := range e.Images {
		message += fmt.Sprintf("\n  %s has %s", image.Engine, ociimage.ShortID(image.EngineID))
	}
	return message + "\nchoose one with --engine"
}

// Find asks the engines for an image by reference or ID; only one of them if it
// is named.
func Find(ctx context.Context, runner hostexec.Runner, only, reference string) (Image, error) {
	asked := engines
	if only != "" {
		asked = []string{only}
	}
	answers := make([]answer, len(asked))
	var all sync.WaitGroup
	for i, engine := range asked {
		all.Go(func() { answers[i] = inspect(ctx, runner, engine, reference) })
	}
	all.Wait()
	if ctx.Err() != nil {
		return Image{}, context.Cause(ctx)
	}
	failed := &NotFoundError{Reference: reference}
	var found []Image
	for i, a := range answers {
		switch {
		case a.image != nil:
			found = append(found, *a.image)
		case a.err != nil && !errors.Is(a.err, exec.ErrNotFound):
			failed.Engines, failed.Silent = append(failed.Engines, a.err), asked[i]
			continue
		case a.err != nil:
			continue
		}
		failed.Asked = append(failed.Asked, asked[i])
	}
	switch {
	case len(found) == 0:
		failed.Near = near(ctx, runner, failed.Asked, reference)
		return Image{}, failed
	case len(found) == 2 && !same(found[0], found[1]):
		return Image{}, &AmbiguousError{Images: found}
	}
	return found[0], nil
}

// ID is what an engine calls the ID of an image, "" where it has none of that name.
func ID(ctx context.Context, runner hostexec.Runner, engine, reference string) (string, error) {
	a := inspect(ctx, runner, engine, reference)
	if a.image == nil {
		return "", a.err
	}
	return a.image.EngineID, nil
}

// same tells whether two engines have the same image: their IDs may be of
// different things.
func same(a, b Image) bool {
	return a.EngineID == b.EngineID || slices.Equal(a.DiffIDs, b.DiffIDs) && (a.ImageID == "" || b.ImageID == "")
}

// answer of one engine; neither image nor error when it has none.
type answer struct {
	image *Image
	err   error
}

// near lists what engines have that has the same last path component, or is spelt nearly
// like it.
func near(ctx context.Context, runner hostexec.Runner, asked []string, reference string) []string {
	listed := list(ctx, runner, asked)
	found := slices.DeleteFunc(slices.Clone(listed), func(name string) bool { return !ociimage.Alike(name, reference) })
	if len(found) == 0 {
		if word := nearest.Word(reference, listed); word != "" {
			return []string{word}
		}
	}
	return found[:min(3, len(found))]
}

// Listed are the names of images that the engines have, or only one of them if it is
// named. One that does not answer has none.
func Listed(ctx context.Context, runner hostexec.Runner, only string) []string {
	if only != "" {
		return list(ctx, runner, []string{only})
	}
	return list(ctx, runner, engines)
}

func list(ctx context.Context, runner hostexec.Runner, asked []string) []string {
	var found []string
	for _, engine := range asked {
		var out bytes.Buffer
		err := runner.Run(ctx, hostexec.Command{
			Argv: []string{engine, "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"}, Stdout: &out,
		})
		if err != nil {
			continue
		}
		for name := range strings.Lines(out.String()) {
			if name = strings.TrimSpace(name); !strings.Contains(name, "<none>") {
				found = append(found, name)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
