package hostengine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/apt"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/mounts"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/statedir"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/steps"
)

// todaysDebian has the docker that people have today. A machine of the tests may have an
// older one.
const todaysDebian = "trixie"

func todaysPackages() []string {
	return []string{"docker.io", "docker-cli", "docker-buildx", "containerd", "runc", "ca-certificates"}
}

// today is a Docker daemon of todaysDebian with containerd's image store, which new
// installs have by default.
func (m Machine) today() daemon {
	sum := sha256.Sum256([]byte(todaysDebian + " " + strings.Join(todaysPackages(), " ")))
	return daemon{
		Machine: m, dir: filepath.Join(m.State, "docker-today"),
		tree:   filepath.Join(m.State, todaysDebian+"-"+hex.EncodeToString(sum[:])[:12]),
		config: `{"features":{"containerd-snapshotter":true}}`,
	}
}

// DockerOfToday makes a docker of today ready, beside the machine's own, sets the variables
// with which its command and its daemon are used in this process, and returns them. From
// then on it is the docker that Ensure finds.
func (m Machine) DockerOfToday(ctx context.Context) ([]Variable, error) {
	d := m.today()
	if err := d.plant(ctx); err != nil {
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

// plant installs the other Debian, once.
func (d daemon) plant(ctx context.Context) error {
	if _, err := os.Stat(d.tree); err == nil {
		return nil
	}
	err := apt.Ensure(ctx, d.Facts, d.Log,
		apt.Need{Program: "debootstrap", Packages: []string{"debootstrap"}},
		apt.Need{File: "/usr/share/keyrings/debian-archive-keyring.gpg", Packages: []string{"debian-archive-keyring"}})
	if err != nil {
		return err
	}
	unlock, err := statedir.Lock(ctx, d.State, todaysDebian, d.Log)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(d.tree); err == nil {
		return nil
	}
	return steps.Do(ctx, d.Log, "installing Debian "+todaysDebian+" with the docker of today", func(ctx context.Context) (err error) {
		tmp := d.tree + ".tmp"
		defer func() { err = errors.Join(err, mounts.RemoveAll(tmp)) }()
		if err := mounts.RemoveAll(tmp); err != nil {
			return err
		}
		err = command.Run(ctx, "debootstrap", "--variant=minbase", "--include="+strings.Join(todaysPackages(), ","), todaysDebian, tmp)
		if err == nil {
			err = mounts.UnmountBelow(tmp)
		}
		if err != nil {
			return err
		}
		return os.Rename(tmp, d.tree)
	})
}

// commands is a folder with docker's command of today, which finds its plugin for builds
// in the folder config.
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
		if _, err := os.Stat(target); err != nil {
			return "", err
		}
		if err := os.Symlink(target, link); err != nil && !errors.Is(err, os.ErrExist) {
			return "", err
		}
	}
	return bin, nil
}

// enterTree becomes a command in the tree of another Debian, in a mount namespace of its
// own: what is mounted here nobody else sees, and it goes with the command. dir is at the
// same path inside. The tree becomes the root of the namespace itself; with chroot alone
// runc's exec, which enters namespaces anew, would land in what was the root before.
const enterTree = `set -e
tree=$1 dir=$2
shift 2
mount --rbind "$tree" "$tree"
for shared in proc sys dev; do mount --rbind "/$shared" "$tree/$shared"; done
mkdir -p "$tree$dir"
mount --bind "$dir" "$tree$dir"
cd "$tree"
mkdir -p before
pivot_root . before
umount --lazy /before
exec "$@"`

// inTree is the argv to which a command in the tree is appended.
func inTree(tree, dir string) []string {
	return []string{"unshare", "--mount", "--propagation", "private", "sh", "-c", enterTree, "sh", tree, dir}
}
