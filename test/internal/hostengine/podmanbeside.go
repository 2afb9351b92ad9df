package hostengine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/statedir"
)

// newPodman is the podman of another Debian, with images of its own.
type newPodman struct {
	debian
	dir string
}

func (m Machine) newPodman(docker string) newPodman {
	from := m.debianOf(docker)
	return newPodman{debian: from, dir: filepath.Join(m.State, "podman-"+from.release)}
}

func (p newPodman) file(name string) string { return filepath.Join(p.dir, name) }

// PodmanBeside makes the podman ready that is of the same Debian as one of NewDockers, and
// returns the folder that has its command. It has images of its own, for builds and as a
// source.
func (m Machine) PodmanBeside(ctx context.Context, docker string) (string, error) {
	return m.newPodman(docker).ensure(ctx)
}

func (p newPodman) ensure(ctx context.Context) (string, error) {
	if err := p.plant(ctx); err != nil {
		return "", err
	}
	unlock, err := statedir.Lock(ctx, p.State, filepath.Base(p.dir), p.Log)
	if err != nil {
		return "", err
	}
	defer unlock()
	bin := p.file("bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return "", err
	}
	for file, text := range map[string]string{
		p.file("storage.conf"):       fmt.Sprintf("[storage]\ndriver = \"overlay\"\ngraphroot = %q\nrunroot = %q\n", p.file("storage"), p.file("run")),
		p.file("containers.conf"):    fmt.Sprintf("[engine]\ntmp_dir = %q\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"none\"\n", p.file("run/libpod")),
		filepath.Join(bin, "podman"): p.command(),
	} {
		if now, err := os.ReadFile(file); err == nil && string(now) == text {
			continue
		}
		// Others may run what is there.
		if err := os.WriteFile(file+".new", []byte(text), 0o755); err != nil {
			return "", err
		}
		if err := os.Rename(file+".new", file); err != nil {
			return "", err
		}
	}
	return bin, nil
}

// command is a script that runs podman in its Debian. It has the temporary files of this
// process and of those that it starts: contexts of builds, and the folders into which images
// are saved.
func (p newPodman) command() string {
	var words []string
	for _, word := range inTree(p.root(), p.dir) {
		words = append(words, "'"+word+"'")
	}
	enter := words[:len(words)-1]
	return "#!/bin/sh\nexec " + strings.Join(enter, " ") + " '" + os.TempDir() + `' -- \
  env CONTAINERS_CONF='` + p.file("containers.conf") + "' CONTAINERS_STORAGE_CONF='" + p.file("storage.conf") + "' /usr/bin/podman \"$@\"\n"
}
