package kindtest

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// watchesPerNode is how many inotify instances a node takes: systemd, containerd,
// the kubelet and its pods have some each.
const watchesPerNode = 20

const (
	// instancesFile is the limit of inotify instances per user, 128 by default.
	instancesFile = "/proc/sys/fs/inotify/max_user_instances"
	// manyInstances are enough for some fifty nodes.
	manyInstances = 1024
)

// roomForNodes sees to it that as many nodes can watch files as they need. Without, a
// kubelet does not start, and kind says only that a node did not join. Root raises the
// limit until the next boot.
func roomForNodes(nodes int, log io.Writer) error {
	err := takeWatches(nodes * watchesPerNode)
	if err == nil {
		return nil
	}
	if raiseInstances() {
		fmt.Fprintf(log, "raised %s to %d for %d nodes more\n", instancesFile, manyInstances, nodes)
		err = takeWatches(nodes * watchesPerNode)
	}
	if err != nil {
		return fmt.Errorf("this host has too few inotify instances left for %d nodes more: %w\nraise the limit: sysctl -w fs.inotify.max_user_instances=%d; or delete clusters that nobody needs", nodes, err, manyInstances)
	}
	return nil
}

// raiseInstances reports whether it could raise the limit.
func raiseInstances() bool {
	text, err := os.ReadFile(instancesFile)
	if err != nil {
		return false
	}
	now, err := strconv.Atoi(strings.TrimSpace(string(text)))
	return err == nil && now < manyInstances && os.WriteFile(instancesFile, []byte(strconv.Itoa(manyInstances)), 0) == nil
}

// takeWatches tries whether there are so many inotify instances, and gives them back.
func takeWatches(n int) error {
	var taken []int
	defer func() {
		for _, fd := range taken {
			_ = unix.Close(fd)
		}
	}()
	for range n {
		fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
		if err != nil {
			return fmt.Errorf("inotify: %w", err)
		}
		taken = append(taken, fd)
	}
	return nil
}
