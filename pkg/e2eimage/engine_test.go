package e2eimage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// host is a host with podman, a folder with a config, and no cluster. What podman builds
// depends on the context's files and on the images that the Dockerfile names.
type host struct {
	t     *testing.T
	dir   string
	suite config.Suite
	said  lockedBuffer
	// command is what runs as a command of the user's own, and ran how it was called.
	command func()
	ran     hostexec.Command
	// fails are the beginnings of commands that fail.
	fails []string
	// pulls are images that a registry has, and pulled those that podman pull got.
	pulls  map[string]string
	pulled []string

	mu    sync.Mutex
	names map[string]string
	// built are the contexts that were built, in that order.
	built []string
}

// lockedBuffer is what several clients may write to at once.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lockedBuffer) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Reset()
}

// newHost has images of a suite, each in a folder of its name and built FROM what is said.
func newHost(t *testing.T, images map[string]string) *host {
	t.Helper()
	h := &host{t: t, dir: t.TempDir(), names: map[string]string{}, pulls: map[string]string{}}
	h.suite = config.Suite{Consumer: "suite", Engine: "podman", KeepPrevious: 1, LockDir: filepath.Join(h.dir, ".e2eimage"), KindCluster: "none"}
	for _, name := range sortedKeys(images) {
		h.write(name+"/Dockerfile", images[name])
		h.write(name+"/file", "first")
		h.suite.Images = append(h.suite.Images, config.Image{
			Name: name, Source: "localhost/" + name + ":dev", TagTemplate: config.DefaultTagTemplate,
			Build: &config.Build{Context: filepath.Join(h.dir, name), Dir: h.dir},
		})
	}
	return h
}

func (h *host) write(path, content string) {
	h.t.Helper()
	path = filepath.Join(h.dir, path)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(content), 0o644)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// image of the suite by name, to be changed.
func (h *host) image(name string) *config.Image {
	i := slices.IndexFunc(h.suite.Images, func(image config.Image) bool { return image.Name == name })
	return &h.suite.Images[i]
}

func (h *host) client() *Client {
	h.t.Helper()
	client := (&bench{t: h.t}).client()
	client.runner, client.report = h, progress.NewLines(&h.said, progress.AllSteps)
	return client
}

// build builds the suite and returns what was built, in that order.
func (h *host) build() ([]string, error) {
	h.t.Helper()
	h.built = nil
	_, err := h.client().Build(h.t.Context(), BuildInput{Suite: h.suite})
	return h.built, err
}

// up does so where something changed.
func (h *host) up() []string {
	h.t.Helper()
	h.built = nil
	// There is no cluster, which is said last.
	if _, err := h.client().Up(h.t.Context(), UpInput{Suite: h.suite}); err == nil {
		h.t.Error("up without a cluster ended well")
	}
	return h.built
}

func (h *host) lock() *lock.Lock {
	h.t.Helper()
	locked, err := lock.NewFile(h.suite.LockFile(h.suite.Consumer), h.suite.Consumer, "").Read()
	if err != nil {
		h.t.Fatal(err)
	}
	return locked
}

// Run implements hostexec.Runner.
func (h *host) Run(_ context.Context, command hostexec.Command) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	argv := command.Argv
	line := strings.Join(argv, " ")
	fail := func(stderr string) error {
		// A real exit code: nobody can make an exec.ExitError.
		return &hostexec.CommandError{Argv: argv, Stderr: stderr, Err: exec.Command("sh", "-c", "exit 125").Run()}
	}
	if slices.ContainsFunc(h.fails, func(beginning string) bool { return strings.HasPrefix(line, beginning) }) {
		return fail("it is broken")
	}
	last := argv[len(argv)-1]
	switch {
	case argv[0] == "command":
		h.ran = command
		h.mu.Unlock()
		defer h.mu.Lock()
		h.command()
		return nil
	case argv[0] != "podman":
		return &hostexec.CommandError{Argv: argv, Err: exec.ErrNotFound}
	case argv[1] == "build":
		id, err := h.make(last, argv)
		if err != nil {
			return fail(err.Error())
		}
		return os.WriteFile(argv[slices.Index(argv, "--iidfile")+1], []byte(id), 0o600)
	case strings.HasPrefix(line, "podman image inspect"):
		id := h.find(last)
		if id == "" {
			return fail("Error: " + last + ": image not known")
		}
		var names []string
		for name, has := range h.names {
			if has == id && !strings.HasPrefix(name, "sha256:") {
				names = append(names, name)
			}
		}
		return json.NewEncoder(command.Stdout).Encode([]map[string]any{{"Id": id, "RepoTags": names, "Os": "linux", "Architecture": "amd64", "ManifestType": "oci"}})
	case argv[1] == "pull":
		if h.pulls[last] == "" {
			return fail("Error: manifest unknown")
		}
		h.pulled = append(h.pulled, last)
		h.names[last], h.names[h.pulls[last]] = h.pulls[last], h.pulls[last]
		return nil
	case argv[1] == "tag":
		full, err := ociimage.Normalize(last)
		h.names[full] = h.find(argv[2])
		return err
	case strings.HasPrefix(line, "podman image rm"):
		delete(h.names, last)
		return nil
	case strings.HasPrefix(line, "podman image ls"):
		_, err := io.WriteString(command.Stdout, strings.Join(sortedKeys(h.names), "\n"))
		return err
	}
	return fail("not known")
}

// find returns the ID of what has a name, or that ID.
func (h *host) find(reference string) string {
	candidates, _ := ociimage.Candidates(reference) // an ID has none
	for _, name := range append(candidates, reference) {
		if id := h.names[name]; id != "" {
			return id
		}
	}
	return ""
}

// make builds a context.
func (h *host) make(dir string, argv []string) (string, error) {
	sum := sha256.New()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		fmt.Fprintf(sum, "%s %q\n", path, text)
		if filepath.Base(path) != "Dockerfile" {
			return err
		}
		for line := range strings.Lines(string(text)) {
			words := append(strings.Fields(line), "", "")
			base := words[1]
			if words[0] != "FROM" || base == "scratch" || strings.Contains(base, "$") {
				continue
			}
			if pulled := h.pulls[base]; pulled != "" && h.find(base) == "" {
				h.names[base] = pulled
				h.names[pulled] = pulled
			}
			id := h.find(base)
			if id == "" {
				return errors.New("no image " + base)
			}
			fmt.Fprintln(sum, id)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	h.built = append(h.built, filepath.Base(dir))
	id := "sha256:" + hex.EncodeToString(sum.Sum(nil))
	h.names[id] = id
	return id, nil
}
