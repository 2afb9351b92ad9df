package kindtest

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// watchesPerNode is how many inotify instances a node takes: systemd, containerd,
// the kubelet and its pods have some each.
const watchesPerNode = 20

// roomForNodes tells whether as many nodes can watch files as they need. Without, a
// kubelet does not start, and kind says only that a node did not join.
func roomForNodes(nodes int) error {
	var taken []int
	defer func() {
		for _, fd := range taken {
			_ = unix.Close(fd)
		}
	}()
	for range nodes * watchesPerNode {
		fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
		if errors.Is(err, unix.EMFILE) {
			return fmt.Errorf("this host has too few inotify instances left for %d nodes more: %w\nraise the limit: sysctl -w fs.inotify.max_user_instances=512; or delete clusters that nobody needs", nodes, err)
		}
		if err != nil {
			return fmt.Errorf("inotify: %w", err)
		}
		taken = append(taken, fd)
	}
	return nil
}
