package hostengine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/apt"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/mounts"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/statedir"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/steps"
)

// debian is another release of Debian in a folder, with its engines: a machine of the tests
// may have older ones.
type debian struct {
	Machine
	release string
}

func (d debian) packages() []string {
	return []string{"docker.io", "docker-cli", "docker-buildx", "containerd", "podman", "runc", "ca-certificates"}
}

// root is the folder that is its root.
func (d debian) root() string {
	sum := sha256.Sum256([]byte(d.release + " " + strings.Join(d.packages(), " ")))
	return filepath.Join(d.State, d.release+"-"+hex.EncodeToString(sum[:])[:12])
}

// plant installs it, once.
func (d debian) plant(ctx context.Context) error {
	root := d.root()
	if _, err := os.Stat(root); err == nil {
		return nil
	}
	err := apt.Ensure(ctx, d.Facts, d.Log,
		apt.Need{Program: "debootstrap", Packages: []string{"debootstrap"}},
		apt.Need{File: "/usr/share/keyrings/debian-archive-keyring.gpg", Packages: []string{"debian-archive-keyring"}})
	if err != nil {
		return err
	}
	unlock, err := statedir.Lock(ctx, d.State, d.release, d.Log)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(root); err == nil {
		return nil
	}
	return steps.Do(ctx, d.Log, "installing Debian "+d.release+" with its docker and podman", func(ctx context.Context) (err error) {
		tmp := root + ".tmp"
		defer func() { err = errors.Join(err, mounts.RemoveAll(tmp)) }()
		if err := mounts.RemoveAll(tmp); err != nil {
			return err
		}
		err = command.Run(ctx, "debootstrap", "--variant=minbase", "--include="+strings.Join(d.packages(), ","), d.release, tmp)
		if err == nil {
			err = mounts.UnmountBelow(tmp)
		}
		if err != nil {
			return err
		}
		return os.Rename(tmp, root)
	})
}

// enterTree becomes a command in the tree of another Debian, in a mount namespace of its
// own: what is mounted here nobody else sees, and it goes with the command. The folders
// before -- are at the same paths inside, and so is the working folder if it is in one of
// them. The tree becomes the root of the namespace itself; with chroot alone runc's exec,
// which enters namespaces anew, would land in what was the root before.
const enterTree = `set -e
tree=$1 at=$PWD
shift
mount --rbind "$tree" "$tree"
for shared in proc sys dev; do mount --rbind "/$shared" "$tree/$shared"; done
while [ "$1" != -- ]; do
  mkdir -p "$tree$1"
  mount --bind "$1" "$tree$1"
  shift
done
shift
cd "$tree"
mkdir -p before
pivot_root . before
cd "$at" 2>/dev/null || cd /
umount --lazy /before
exec "$@"`

// inTree is the argv to which a command in the tree is appended. The tree has the folders,
// too.
func inTree(tree string, folders ...string) []string {
	argv := []string{"unshare", "--mount", "--propagation", "private", "sh", "-c", enterTree, "sh", tree}
	return append(append(argv, folders...), "--")
}
