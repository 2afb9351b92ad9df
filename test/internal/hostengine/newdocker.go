package hostengine

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/steps"
)

// Dockers that can be beside the machine's own, each with containerd's image store, which
// new installs have by default.
const (
	// DockerOfToday is that of Debian 13.
	DockerOfToday = "docker-today"
	// DockerOfSid is that of Debian's next release, which changes from day to day.
	DockerOfSid = "docker-sid"
	// Docker29 is the daemon of docker's module, with what else DockerOfSid has.
	Docker29 = "docker-29"
)

// NewDockers are all of them.
func NewDockers() []string { return []string{DockerOfToday, DockerOfSid, Docker29} }

// module29 is the module with the daemon, a part of this repository, and its package.
const module29, dockerdPackage = "test/docker29", "github.com/moby/moby/v2/cmd/dockerd"

func (m Machine) newDocker(name string) daemon {
	d := daemon{
		Machine: m, dir: filepath.Join(m.State, name), tree: m.debianOf(name).root(),
		// The default keeps a build cache of a tenth of the disk.
		config: `{"features":{"containerd-snapshotter":true},"builder":{"gc":{"enabled":true,"defaultKeepStorage":"2GB"}}}`,
	}
	if name == Docker29 {
		d.program = d.file("dockerd")
	}
	return d
}

// debianOf is the Debian whose docker or podman it is.
func (m Machine) debianOf(name string) debian {
	if name == DockerOfToday {
		return debian{m, "trixie"}
	}
	return debian{m, "sid"}
}

// NewDocker makes one of NewDockers ready, sets the variables with which its command and
// its daemon are used in this process, and returns them. From then on it is the docker that
// Ensure finds.
func (m Machine) NewDocker(ctx context.Context, name string) ([]Variable, error) {
	if err := m.debianOf(name).plant(ctx); err != nil {
		return nil, err
	}
	d := m.newDocker(name)
	if err := d.compile(ctx); err != nil {
		return nil, err
	}
	if err := d.ensure(ctx); err != nil {
		return nil, err
	}
	bin, err := d.commands()
	if err != nil {
		return nil, err
	}
	path := os.Getenv("PATH")
	if !slices.Contains(filepath.SplitList(path), bin) {
		path = bin + string(filepath.ListSeparator) + path
	}
	vars := []Variable{
		{"DOCKER_HOST", "unix://" + d.socket()},
		{"PATH", path},
		{"DOCKER_CONFIG", d.file("config")},
	}
	return vars, apply(vars)
}

// compile makes a daemon that its Debian does not have.
func (d daemon) compile(ctx context.Context) error {
	if d.program == "" {
		return nil
	}
	if _, err := os.Stat(d.program); err == nil {
		return nil
	}
	root, err := command.Output(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/e2eimage/kubectl-e2eimage")
	if err != nil {
		return err
	}
	return steps.Do(ctx, d.Log, "compiling the daemon of Docker 29", func(ctx context.Context) error {
		return command.Cmd{
			Argv: []string{"go", "build", "-trimpath", "-ldflags=-s -w -X github.com/moby/moby/v2/dockerversion.Version=29", "-o", d.program, dockerdPackage},
			Dir:  filepath.Join(strings.TrimSpace(root), module29),
			Env:  []string{"CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off"},
		}.Run(ctx)
	})
}

// commands is a folder with docker's command of its Debian, which finds its plugin for
// builds in the folder config.
func (d daemon) commands() (string, error) {
	bin, plugins := d.file("bin"), d.file("config/cli-plugins")
	for _, dir := range []string{bin, plugins} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
	}
	for link, target := range map[string]string{
		filepath.Join(bin, "docker"):            filepath.Join(d.tree, "usr/bin/docker"),
		filepath.Join(plugins, "docker-buildx"): filepath.Join(d.tree, "usr/libexec/docker/cli-plugins/docker-buildx"),
	} {
		if err := linked(target, link); err != nil {
			return "", err
		}
	}
	return bin, nil
}

// linked makes a link, anew where it leads elsewhere.
func linked(target, link string) error {
	if _, err := os.Stat(target); err != nil {
		return err
	}
	if now, err := os.Readlink(link); err == nil && now == target {
		return nil
	}
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, link); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
