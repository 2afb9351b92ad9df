package containerd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	socketPath = "run/containerd/containerd.sock"
	caPath     = "etc/kubernetes/pki/ca.crt"
	// pulledPath is where the kubelet notes images that it pulled itself
	// (Kubernetes 1.33 on).
	pulledPath = "var/lib/kubelet/image_manager/pulled"
)

// connectDirectly reaches a node through the root folder of its first process,
// which is there for root, and for the user of a rootless engine. An exec costs
// up to half a second, this next to nothing. It fails where the node is on
// another host or in a VM.
func connectDirectly(ctx context.Context, node Node) (*conn, error) {
	if node.PID <= 0 || node.ContainerID == "" {
		return nil, errors.New("its process is not known")
	}
	root, err := openRoot(node)
	if err != nil {
		return nil, err
	}
	defer unix.Close(root)
	handshake, err := readHandshakeIn(root)
	if err != nil {
		return nil, err
	}
	socket, err := openIn(root, socketPath, unix.O_PATH)
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	connected, err := new(net.Dialer).DialContext(ctx, "unix", fmt.Sprintf("/proc/self/fd/%d", socket.Fd()))
	if err != nil {
		return nil, err
	}
	over := make(chan struct{})
	return &conn{Conn: &watched{Conn: connected, over: over}, handshake: handshake, over: over}, nil
}

// openRoot opens the root folder of the container's first process. The folder in
// /proc belongs to that one process also after its PID is taken by another, and
// the control group tells that it is the container's: a PID that a remote engine
// gave is somebody else's here.
func openRoot(node Node) (int, error) {
	process, err := unix.Open("/proc/"+strconv.Itoa(node.PID), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("process %d: %w", node.PID, err)
	}
	defer unix.Close(process)
	text, err := readAt(process, "cgroup")
	if err != nil {
		return -1, err
	}
	if !bytes.Contains(text, []byte(node.ContainerID)) {
		return -1, fmt.Errorf("process %d of this host is not container %.12s's", node.PID, node.ContainerID)
	}
	// A pod's control group is below its node's, but its processes are one PID
	// namespace further down.
	if text, err = readAt(process, "status"); err != nil {
		return -1, err
	}
	if pids := namespacePIDs(text); len(pids) != 2 || pids[1] != "1" {
		return -1, fmt.Errorf("process %d of this host is not the first of container %.12s", node.PID, node.ContainerID)
	}
	root, err := unix.Openat(process, "root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("root folder of process %d: %w", node.PID, err)
	}
	return root, nil
}

// readAt reads a file of a process' folder.
func readAt(process int, name string) ([]byte, error) {
	file, err := unix.Openat(process, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%s of the process: %w", name, err)
	}
	return readAll(os.NewFile(uintptr(file), name))
}

// namespacePIDs are the PIDs of a process from this namespace down to its own, as
// /proc/PID/status has them.
func namespacePIDs(status []byte) []string {
	for line := range bytes.Lines(status) {
		if pids, ok := bytes.CutPrefix(line, []byte("NSpid:")); ok {
			return strings.Fields(string(pids))
		}
	}
	return nil
}

// openIn opens a file below a node's root. Links in there, whatever they say,
// lead to nowhere else.
func openIn(root int, name string, flags uint64) (*os.File, error) {
	how := &unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	file, err := unix.Openat2(root, name, how)
	if err != nil {
		return nil, fmt.Errorf("/%s of the node: %w", name, err)
	}
	return os.NewFile(uintptr(file), name), nil
}

// readHandshakeIn reads what an exec would tell before it is connected. A file that is not
// there is empty.
func readHandshakeIn(root int) (found Handshake, err error) {
	var kernel unix.Utsname
	if err := unix.Uname(&kernel); err != nil {
		return found, err
	}
	found.Machine = unix.ByteSliceToString(kernel.Machine[:])
	if found.CA, err = readIn(root, caPath); err != nil {
		return found, err
	}
	folder, err := openIn(root, pulledPath, unix.O_RDONLY|unix.O_DIRECTORY)
	if errors.Is(err, os.ErrNotExist) {
		return found, nil
	} else if err != nil {
		return found, err
	}
	defer folder.Close()
	names, err := folder.Readdirnames(-1)
	if err != nil {
		return found, err
	}
	for _, name := range names {
		// The kubelet writes to a .tmp file and renames that.
		if !strings.HasPrefix(name, "sha256-") || strings.HasSuffix(name, ".tmp") {
			continue
		}
		note, err := readIn(root, path.Join(pulledPath, name))
		if err != nil {
			return found, err
		}
		found.Pulled = append(append(found.Pulled, note...), '\n')
	}
	return found, nil
}

func readIn(root int, name string) ([]byte, error) {
	file, err := openIn(root, name, unix.O_RDONLY|unix.O_NONBLOCK)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return readAll(file)
}

// readAll reads and closes.
func readAll(file *os.File) ([]byte, error) {
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxHandshake))
}
