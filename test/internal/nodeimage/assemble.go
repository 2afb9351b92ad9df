package nodeimage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/mounts"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/scratchimage"
)

// assemble puts the node's file system together and packs it into file. It
// follows images/base/Dockerfile and the node image build of kind.
func (b Builder) assemble(ctx context.Context, in inputs, bins binaries, base, file string) (err error) {
	dir, err := os.MkdirTemp(b.State, "assemble-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, mounts.RemoveAll(dir)) }()
	rootDir := filepath.Join(dir, "rootfs")
	if err := os.Mkdir(rootDir, 0o755); err != nil {
		return err
	}
	err = command.Run(ctx, "tar", "--extract", "--file", base, "--directory", rootDir,
		"--numeric-owner", "--same-owner", "--preserve-permissions", "--xattrs", "--xattrs-include=*")
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(rootDir)
	if err != nil {
		return err
	}
	t := &tree{root: root}
	defer root.Close()

	spec, err := command.Output(ctx, filepath.Join(bins.containerd, "ctr"), "oci", "spec")
	if err != nil {
		return err
	}
	cri, err := criBase([]byte(spec))
	if err != nil {
		return err
	}
	images, err := controlPlaneImages(ctx, bins, in.module("kubernetes").version)
	if err != nil {
		return err
	}
	t.programs(bins)
	t.network(bins)
	t.kindFiles(in, images.pause)
	t.file("etc/containerd/cri-base.json", 0o644, cri)
	t.units()
	t.version(in.module("kubernetes").version)
	if t.err != nil {
		return t.err
	}
	if err := preload(ctx, bins, images, dir, filepath.Join(rootDir, "var/lib/containerd")); err != nil {
		return fmt.Errorf("put the control plane's images into the node image: %w", err)
	}
	layer := filepath.Join(dir, "layer.tar")
	if err := pack(ctx, rootDir, layer); err != nil {
		return err
	}
	// A process that is killed must not leave half an archive behind.
	whole := filepath.Join(dir, "image.tar")
	if err := scratchimage.WriteArchive(whole, nodeImage(in.reference(), layer)); err != nil {
		return err
	}
	return os.Rename(whole, file)
}

// nodeImage has what kind's Dockerfile sets: systemd must learn that it is in a
// container, and stops on SIGRTMIN+3.
func nodeImage(reference, layer string) scratchimage.Image {
	return scratchimage.Image{
		Reference:  reference,
		Tar:        layer,
		Env:        []string{"container=docker"},
		Entrypoint: []string{"/usr/local/bin/entrypoint", "/sbin/init"},
		StopSignal: "SIGRTMIN+3",
	}
}

// programs puts each binary where kind, systemd or the kubelet look for it.
func (t *tree) programs(bins binaries) {
	for _, name := range []string{"containerd", "containerd-shim-runc-v2", "ctr"} {
		t.program("usr/local/bin/"+name, filepath.Join(bins.containerd, name))
	}
	t.program("usr/local/bin/crictl", filepath.Join(bins.kubernetes, "crictl"))
	const hyperkube = "usr/local/libexec/" + programFolder
	t.program(hyperkube, bins.hyperkube())
	for _, name := range []string{"kubelet", "kubeadm", "kubectl"} {
		t.hardLink("usr/bin/"+name, hyperkube)
	}
}

// podNetworkUnit must be done before containerd looks for a configuration.
const podNetworkUnit = `[Unit]
Description=Pod network of a test node
Before=containerd.service kubelet.service

[Service]
Type=oneshot
ExecStart=/usr/local/libexec/podnetwork
`

// network has no daemon: Debian's plugins, linked to where kind's image has
// them, and our program that configures them at boot.
func (t *tree) network(bins binaries) {
	for _, plugin := range []string{"host-local", "loopback", "ptp", "portmap"} {
		t.link("opt/cni/bin/"+plugin, "../../../usr/lib/cni/"+plugin)
	}
	t.folder("etc/cni/net.d")
	t.program("usr/local/libexec/podnetwork", filepath.Join(bins.own, "podnetwork"))
	t.file("etc/systemd/system/podnetwork.service", 0o644, []byte(podNetworkUnit))
}

// storageClass replaces kind's, whose provisioner is an image of its own; no
// test uses volumes, and kind wants to apply something.
const storageClass = `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: standard
  annotations:
    storageclass.kubernetes.io/is-default-class: "true"
provisioner: kubernetes.io/no-provisioner
`

// version is what kind reads to know which kubeadm configuration to write.
func (t *tree) version(kubernetes string) {
	t.file("kind/version", 0o644, []byte(kubernetes))
	t.file("kind/manifests/default-storage.yaml", 0o644, []byte(storageClass))
}
