// Command kubeadm stands in front of the real kubeadm on a test node. On cgroup
// v1 kind runs kubeadm as soon as the node's entrypoint has started, when
// containerd may not listen yet; this waits for its socket and then becomes the
// real one. It decides nothing else.
package main

import (
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

const (
	real    = "/usr/local/libexec/kubeadm"
	socket  = "/run/containerd/containerd.sock"
	limit   = 60 * time.Second
	between = 100 * time.Millisecond
)

func main() {
	if err := wait(); err != nil {
		// kubeadm's own message about a missing runtime is the better
		// one, so go on.
		fmt.Fprintf(os.Stderr, "containerd does not answer after %s: %v\n", limit, err)
	}
	err := syscall.Exec(real, append([]string{"kubeadm"}, os.Args[1:]...), os.Environ())
	fmt.Fprintf(os.Stderr, "run %s: %v\n", real, err)
	os.Exit(1)
}

func wait() error {
	deadline := time.After(limit)
	tick := time.NewTicker(between)
	defer tick.Stop()
	for {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-deadline:
			return err
		case <-tick.C:
		}
	}
}
