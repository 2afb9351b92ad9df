package main

import (
	"net"
	"time"
)

const (
	containerdSocket = "/run/containerd/containerd.sock"
	containerdLimit  = 60 * time.Second
	containerdRetry  = 100 * time.Millisecond
)

// waitForContainerd returns when containerd listens. On cgroup v1 kind runs kubeadm as
// soon as the node's entrypoint has started, and containerd may not be up by then.
func waitForContainerd() error {
	deadline := time.After(containerdLimit)
	tick := time.NewTicker(containerdRetry)
	defer tick.Stop()
	for {
		conn, err := net.Dial("unix", containerdSocket)
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
