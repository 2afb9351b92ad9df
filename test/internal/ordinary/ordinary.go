// Package ordinary runs commands of the tests as the usual user of docker: in the group
// of its socket, and not root. It must not know what is tested.
package ordinary

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// id of the user and of the user's group; nobody else's on any usual machine.
const id = 54321

// User is somebody who may use docker.
type User struct {
	// socket of the daemon, and where the user has it.
	socket, at string
	// group that may use it.
	group int
	home  string
}

// New makes a user of the docker daemon that DOCKER_HOST names, with a home in dir, which
// goes with dir, and puts docker's command into the folder bin. Only root can.
func New(dir, bin string) (*User, error) {
	socket, local := strings.CutPrefix(cmp.Or(os.Getenv("DOCKER_HOST"), "unix:///var/run/docker.sock"), "unix://")
	if !local {
		return nil, fmt.Errorf("docker is at %s, not at a socket of this host", os.Getenv("DOCKER_HOST"))
	}
	info, err := os.Stat(socket)
	if err != nil {
		return nil, err
	}
	u := &User{socket: socket, at: filepath.Join(dir, "docker.sock"), group: int(info.Sys().(*syscall.Stat_t).Gid), home: filepath.Join(dir, "home")}
	if u.group == 0 {
		// A daemon without a group for its users. Being in root's own would open more.
		u.group = id
		if err := os.Chown(socket, -1, id); err != nil {
			return nil, err
		}
	}
	// What the socket is mounted on.
	if err := errors.Join(os.WriteFile(u.at, nil, 0o600), os.Mkdir(u.home, 0o700), os.Chmod(dir, 0o755)); err != nil {
		return nil, err
	}
	if err := u.take(bin); err != nil {
		return nil, err
	}
	return u, u.Own(u.home)
}

// take copies docker's command into a folder where the user finds it, and its plugins, such
// as buildx, into the user's home: they may be where only root may go.
func (u *User) take(bin string) error {
	docker, err := exec.LookPath("docker")
	if err != nil {
		return err
	}
	if err := copyFile(docker, filepath.Join(bin, "docker")); err != nil {
		return err
	}
	plugins := filepath.Join(os.Getenv("DOCKER_CONFIG"), "cli-plugins")
	entries, err := os.ReadDir(plugins)
	if os.Getenv("DOCKER_CONFIG") == "" || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	own := filepath.Join(u.home, ".docker", "cli-plugins")
	err = errors.Join(err, os.MkdirAll(own, 0o700))
	for _, entry := range entries {
		err = errors.Join(err, copyFile(filepath.Join(plugins, entry.Name()), filepath.Join(own, entry.Name())))
	}
	return err
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// Env is an environment with the user's home, and with the user's way to docker and
// configuration of it unless it has others.
func (u *User) Env(env []string) []string {
	env = append(slices.Clone(env), "HOME="+u.home)
	if config := lookUp(env, "DOCKER_CONFIG"); config == os.Getenv("DOCKER_CONFIG") {
		env = append(env, "DOCKER_CONFIG="+filepath.Join(u.home, ".docker"))
	}
	host := lookUp(env, "DOCKER_HOST")
	if host == "unix://"+u.socket || host == "" && lookUp(env, "DOCKER_CONTEXT") == "" {
		env = append(env, "DOCKER_HOST=unix://"+u.at)
	}
	return env
}

// lookUp is the value of a variable, "" for none.
func lookUp(env []string, name string) (value string) {
	for _, variable := range env {
		if v, is := strings.CutPrefix(variable, name+"="); is {
			value = v
		}
	}
	return value
}

// Podman is what a podman of the user's own needs in its environment: images in the user's
// home, and what usually goes with a session. Its files are copies, not mounts, and all of
// one user, which podman would otherwise ask newuidmap for.
func (u *User) Podman() []string {
	return []string{"XDG_RUNTIME_DIR=" + u.home, "STORAGE_DRIVER=vfs", "CONTAINERS_CONF=/dev/null"}
}

// Own gives folders and all below them to the user.
func (u *User) Own(folders ...string) error {
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err == nil {
				err = os.Lchown(path, id, id)
			}
			if errors.Is(err, fs.ErrNotExist) {
				// Somebody else's goes meanwhile.
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// become mounts the socket where the user may go, in a mount namespace that ends with the
// command, and drops root's rights.
const become = `set -e
mount --bind "$1" "$2"
id=$3 group=$4
shift 4
exec setpriv --reuid "$id" --regid "$id" --groups "$group" --inh-caps=-all -- "$@"`

// Runs makes a command run as the user. Its process is the command's own in the end, so
// that signals reach it.
func (u *User) Runs(command *exec.Cmd) error {
	path, err := exec.LookPath("unshare")
	if err != nil {
		return err
	}
	argv := append([]string{command.Path}, command.Args[1:]...)
	command.Path = path
	command.Args = append([]string{
		"unshare", "--mount", "--propagation", "private", "sh", "-c", become, "sh",
		u.socket, u.at, strconv.Itoa(id), strconv.Itoa(u.group),
	}, argv...)
	command.Env = u.Env(command.Environ())
	return nil
}
