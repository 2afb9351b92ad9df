package nodeimage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/apt"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/mounts"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/steps"
)

// suite is the last Debian whose systemd still boots on cgroup v1.
const suite = "bookworm"

// packages are those of kind's Dockerfile that a test node needs, and the runc
// and CNI plugins that kind builds from source.
func packages() []string {
	return []string{
		"systemd", "systemd-sysv",
		"conntrack", "iptables", "nftables", "iproute2", "ethtool", "util-linux", "mount", "kmod",
		"libseccomp2", "pigz", "e2fsprogs",
		"bash", "ca-certificates", "curl", "jq", "procps",
		"runc", "containernetworking-plugins",
	}
}

// rootfs is a tar file with a minimal Debian, made once.
func (b Builder) rootfs(ctx context.Context) (string, error) {
	sum := sha256.Sum256([]byte(suite + " " + strings.Join(packages(), " ")))
	file := filepath.Join(b.State, "rootfs-"+hex.EncodeToString(sum[:])[:12]+".tar")
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if !b.Facts.Root {
		return "", fmt.Errorf("building a node image needs root (debootstrap), and kind's own cannot be used here: run as root, or where %s can be pulled", stockReference())
	}
	err := apt.Ensure(ctx, b.Facts, b.Log,
		apt.Need{Program: "debootstrap", Packages: []string{"debootstrap"}},
		// Ubuntu's debootstrap does not bring Debian's keys.
		apt.Need{File: "/usr/share/keyrings/debian-archive-keyring.gpg", Packages: []string{"debian-archive-keyring"}})
	if err != nil {
		return "", err
	}
	err = steps.Do(ctx, b.Log, "installing Debian "+suite+" for the node image (usually 80 seconds)", func(ctx context.Context) error {
		return b.debootstrap(ctx, file)
	})
	return file, err
}

func (b Builder) debootstrap(ctx context.Context, file string) (err error) {
	dir, err := os.MkdirTemp(b.State, "debootstrap-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, mounts.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	err = command.Run(ctx, "debootstrap", "--variant=minbase", "--include="+strings.Join(packages(), ","), suite, dir)
	if err != nil {
		return err
	}
	// An interrupted or untidy debootstrap must not get /proc into the image.
	if err := mounts.UnmountBelow(dir); err != nil {
		return err
	}
	return pack(ctx, dir, file)
}

// pack writes a folder into a tar file, which appears only when it is whole.
func pack(ctx context.Context, dir, file string) error {
	tmp := file + ".tmp"
	err := command.Run(ctx, "tar", "--create", "--file", tmp, "--directory", dir,
		"--numeric-owner", "--xattrs", "--one-file-system", "--exclude=./var/cache/apt/archives/*.deb", "--exclude=./var/lib/apt/lists/*", ".")
	if err == nil {
		err = os.Rename(tmp, file)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(tmp))
	}
	return nil
}
