package nodeimage

import (
	"context"
	"fmt"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/mounts"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/scratchimage"
)

// controlPlane are the images of a control plane node under the names that
// kubeadm gives them.
type controlPlane struct {
	images []scratchimage.Image
	pause  string
}

// controlPlaneImages plans the images: a program and nothing else.
func controlPlaneImages(ctx context.Context, bins binaries, kubernetes string) (controlPlane, error) {
	list, err := command.Cmd{
		Path: bins.hyperkube(),
		Argv: []string{"kubeadm", "config", "images", "list", "--kubernetes-version", kubernetes},
	}.Output(ctx)
	if err != nil {
		return controlPlane{}, err
	}
	return planImages(strings.Fields(list), bins)
}

// planImages makes one image of all that is in hyperkube, with a reference for each of
// the programs: the node then has its layer once.
func planImages(references []string, bins binaries) (controlPlane, error) {
	all := scratchimage.Image{
		Files: []scratchimage.File{{Path: "usr/local/bin/" + programFolder, Source: bins.hyperkube(), Mode: 0o755}},
		Env:   []string{"PATH=/usr/local/bin"},
		// The engine copies the store into a volume per node.
		Compress: true,
	}
	var plan controlPlane
	// Proxy and DNS are missing on purpose: the clusters run without.
	missing := []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "pause"}
	for _, reference := range references {
		repository, _, _ := strings.Cut(reference, ":")
		name := path.Base(repository)
		i := slices.Index(missing, name)
		if i < 0 {
			continue
		}
		missing = slices.Delete(missing, i, i+1)
		if name == "pause" {
			plan.pause = reference
			continue
		}
		if all.Reference == "" {
			all.Reference = reference
		} else {
			all.Also = append(all.Also, reference)
		}
		// Whoever unpacks a hard link sets its mode, which is the file's.
		all.Files = append(all.Files, scratchimage.File{Path: "usr/local/bin/" + name, Same: all.Files[0].Path, Mode: all.Files[0].Mode})
	}
	if len(missing) > 0 {
		return plan, fmt.Errorf("kubeadm names no image for %s: adapt this to the new Kubernetes", strings.Join(missing, ", "))
	}
	plan.images = []scratchimage.Image{all, {
		Reference:  plan.pause,
		Files:      []scratchimage.File{{Path: "usr/local/bin/pause", Source: filepath.Join(bins.own, "pause"), Mode: 0o755}},
		Entrypoint: []string{"/usr/local/bin/pause"},
	}}
	return plan, nil
}

// preload imports the images into a content store, through a containerd of the
// same version as the node's that runs here just for that.
func preload(ctx context.Context, bins binaries, plan controlPlane, scratch, store string) error {
	archive := filepath.Join(scratch, "control-plane.tar")
	if err := scratchimage.WriteArchive(archive, plan.images...); err != nil {
		return err
	}
	// The socket's path must stay below the kernel's limit, whatever the
	// state folder's is.
	run, err := os.MkdirTemp("", "e2eimage-containerd-")
	if err != nil {
		return err
	}
	defer mounts.RemoveAll(run)
	config := filepath.Join(run, "config.toml")
	socket := filepath.Join(run, "c.sock")
	if err := os.WriteFile(config, []byte(importConfig(store, run, socket)), 0o644); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	daemon := make(chan error, 1)
	running, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		daemon <- command.Run(running, filepath.Join(bins.containerd, "containerd"), "--config", config)
	}()
	if err := answering(ctx, socket, daemon); err != nil {
		return err
	}
	err = command.Run(ctx, filepath.Join(bins.containerd, "ctr"), "--address", socket, "--namespace", "k8s.io",
		"images", "import", "--no-unpack", "--all-platforms", archive)
	stop()
	// The store is whole only when the daemon has closed it.
	<-daemon
	return err
}

// answering waits until the daemon accepts connections, or has ended.
func answering(ctx context.Context, socket string, daemon <-chan error) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			return conn.Close()
		}
		select {
		case err := <-daemon:
			return fmt.Errorf("containerd ended before it was ready: %w", err)
		case <-ctx.Done():
			return fmt.Errorf("containerd is not ready: %w", context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// importConfig is a containerd that only stores: no CRI, nothing outside the
// given folders.
func importConfig(store, run, socket string) string {
	return fmt.Sprintf(`version = 3
root = %q
state = %q
disabled_plugins = [
  "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri",
  "io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri", "io.containerd.podsandbox.controller.v1.podsandbox",
]
[grpc]
  address = %q
[ttrpc]
  address = %q
`, store, filepath.Join(run, "state"), socket, socket+".ttrpc")
}
