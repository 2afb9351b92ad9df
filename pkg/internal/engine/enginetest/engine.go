// Package enginetest is a container engine in memory, for tests: podman, docker with its
// own store, or docker with containerd's. It answers the commands that package engine
// calls. Its images have no layers: what a build read is in a label of the config, so that
// the same files always make the same image. It has no logic of the product.
package enginetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

// Kind of engine.
type Kind string

// Kinds of engines.
const (
	Podman Kind = "podman"
	// Docker has its overlay2 store: the ID of an image is its config's digest.
	Docker Kind = "docker"
	// DockerContainerd has containerd's store: the ID of an image is its manifest's digest.
	DockerContainerd Kind = "docker-containerd"
)

// Engine is what one engine of the host has.
type Engine struct {
	Kind Kind

	mu     sync.Mutex
	images map[string]*Image
	names  map[string]string // name → engine's ID
	built  []Built
}

// Built is one build: what was in its context, and the image ID.
type Built struct{ Content, ImageID string }

var _ hostexec.Runner = (*Engine)(nil)

// New returns an engine that has nothing.
func New(kind Kind) *Engine {
	return &Engine{Kind: kind, images: map[string]*Image{}, names: map[string]string{}}
}

// failed is a real exit code: nobody can make an exec.ExitError.
var failed = sync.OnceValue(func() error { return exec.Command("sh", "-c", "exit 125").Run() })

// Command is what the engine's program is called.
func (e *Engine) Command() string {
	if e.Kind == Podman {
		return "podman"
	}
	return "docker"
}

// Runs tells whether a command is the engine's own, and not one for its containers.
func (e *Engine) Runs(argv []string) bool {
	return argv[0] == e.Command() && slices.Contains([]string{"image", "build", "tag", "save", "context", "--config"},
		argv[1])
}

// Build builds a folder under a name, as a user's own command does, and returns the image ID.
func (e *Engine) Build(folder, name string) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	image, err := e.build(folder)
	if err != nil {
		return "", err
	}
	e.names[name] = e.idOf(image)
	return image.ID(), nil
}

// Put gives the engine an image under a name.
func (e *Engine) Put(name string, image *Image) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.images[e.idOf(image)] = image
	e.names[name] = e.idOf(image)
}

// Has returns the image ID that a name stands for, "" for none.
func (e *Engine) Has(name string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if image := e.images[e.names[name]]; image != nil {
		return image.ID()
	}
	return ""
}

// Forget takes names away; an image goes with its last name.
func (e *Engine) Forget(names ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, name := range names {
		e.forget(name)
	}
}

// Builds are all builds so far, in order.
func (e *Engine) Builds() []Built {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.built)
}

// Run implements hostexec.Runner.
func (e *Engine) Run(ctx context.Context, command hostexec.Command) error {
	if command.Argv[0] != e.Command() {
		return &hostexec.CommandError{Argv: command.Argv, Err: exec.ErrNotFound}
	}
	if ctx.Err() != nil {
		return &hostexec.CommandError{Argv: command.Argv, Err: context.Cause(ctx)}
	}
	if slices.Contains(command.Argv, "push") {
		return e.push(ctx, command)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	err := e.run(command)
	var unknown *unknownError
	if errors.As(err, &unknown) {
		return &hostexec.CommandError{Argv: command.Argv, Stderr: unknown.Error(), Err: failed()}
	}
	return err
}

func (e *Engine) run(command hostexec.Command) error {
	argv := command.Argv[1:]
	last := argv[len(argv)-1]
	switch called := strings.Join(argv[:min(2, len(argv))], " "); {
	case called == "image inspect":
		return e.inspect(command.Stdout, last)
	case called == "image ls":
		for _, name := range slices.Sorted(maps.Keys(e.names)) {
			if _, err := fmt.Fprintln(command.Stdout, name); err != nil {
				return err
			}
		}
		return nil
	case called == "image rm":
		return e.remove(last)
	case called == "context inspect":
		_, err := io.WriteString(command.Stdout, "unix:///var/run/docker.sock\n")
		return err
	case argv[0] == "tag":
		image, _, err := e.find(argv[1])
		if err == nil {
			e.names[argv[2]] = e.idOf(image)
		}
		return err
	case argv[0] == "save":
		image, _, err := e.find(last)
		if err != nil {
			return err
		}
		return e.save(command.Stdout, image)
	case argv[0] == "build":
		image, err := e.build(last)
		if err != nil {
			return err
		}
		if name := flag(argv, "--tag"); name != "" {
			e.names[name] = e.idOf(image)
		}
		if file := flag(argv, "--iidfile"); file != "" {
			return os.WriteFile(file, []byte(e.idOf(image)), 0o600)
		}
		return nil
	}
	return fmt.Errorf("unexpected command %q", command.Argv)
}

// flag is the value that stands behind a flag.
func flag(argv []string, name string) string {
	if i := slices.Index(argv, name); i >= 0 && i+1 < len(argv) {
		return argv[i+1]
	}
	return ""
}

// build makes the image of a folder; the same files make the same image.
func (e *Engine) build(folder string) (*Image, error) {
	content, err := ContentOf(folder)
	if err != nil {
		return nil, err
	}
	image := NewImage(content)
	image.made = time.Now()
	if known := e.images[e.idOf(image)]; known != nil {
		image = known
	}
	e.images[e.idOf(image)] = image
	e.built = append(e.built, Built{Content: content, ImageID: image.ID()})
	return image, nil
}

// unknownError is what an engine says of an image that it does not have.
type unknownError struct {
	kind Kind
	name string
}

func (e *unknownError) Error() string {
	if e.kind == Podman {
		return fmt.Sprintf("Error: inspecting object: %s: image not known", e.name)
	}
	return "Error: No such image: " + e.name
}

// find returns an image and the name that it was found by, "" for an ID.
func (e *Engine) find(reference string) (image *Image, name string, err error) {
	if image := e.images[e.names[reference]]; image != nil {
		return image, reference, nil
	}
	for _, id := range []string{reference, "sha256:" + reference} {
		if image := e.images[id]; image != nil {
			return image, "", nil
		}
	}
	return nil, "", &unknownError{kind: e.Kind, name: reference}
}

// namesOf an image, sorted.
func (e *Engine) namesOf(image *Image) []string {
	names := []string{}
	for name, id := range e.names {
		if id == e.idOf(image) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (e *Engine) remove(reference string) error {
	image, name, err := e.find(reference)
	if err != nil {
		return err
	}
	if name != "" {
		e.forget(name)
		return nil
	}
	for _, name := range e.namesOf(image) {
		delete(e.names, name)
	}
	delete(e.images, e.idOf(image))
	return nil
}

func (e *Engine) forget(name string) {
	id, has := e.names[name]
	delete(e.names, name)
	if image := e.images[id]; has && image != nil && len(e.namesOf(image)) == 0 {
		delete(e.images, id)
	}
}
