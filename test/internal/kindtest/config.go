package kindtest

import (
	"strings"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/host"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/nodeimage"
)

// config is the cluster as kind is told. kind's own image gets kind's defaults;
// ours has no proxy, no DNS and no kindnet, and the cluster must not want them.
func config(o Options, image nodeimage.Image, facts host.Facts) *v1alpha4.Cluster {
	cluster := &v1alpha4.Cluster{
		TypeMeta: v1alpha4.TypeMeta{Kind: "Cluster", APIVersion: "kind.x-k8s.io/v1alpha4"},
		Name:     o.Name,
	}
	for range max(o.ControlPlanes, 1) {
		cluster.Nodes = append(cluster.Nodes, v1alpha4.Node{Role: v1alpha4.ControlPlaneRole})
	}
	for range o.Workers {
		cluster.Nodes = append(cluster.Nodes, v1alpha4.Node{Role: v1alpha4.WorkerRole})
	}
	cluster.ContainerdConfigPatches = []string{registries()}
	if image.Stock {
		return cluster
	}
	cluster.Networking = v1alpha4.Networking{
		DisableDefaultCNI: true,
		KubeProxyMode:     "none",
	}
	cluster.KubeadmConfigPatches = patches(facts.CgroupV1)
	if o.ControlPlanes <= 1 {
		cluster.KubeadmConfigPatches = append(cluster.KubeadmConfigPatches, alone())
	}
	return cluster
}

// patches change what kind writes for kubeadm. The lists replace kind's, so
// they repeat what kind skips anyway.
func patches(cgroupV1 bool) []string {
	initialise := []string{
		"kind: InitConfiguration",
		"skipPhases: [preflight, addon/kube-proxy, addon/coredns]",
	}
	if !cgroupV1 {
		return []string{lines(initialise...)}
	}
	ignore := []string{"nodeRegistration:", "  ignorePreflightErrors: [SystemVerification]"}
	return []string{
		lines(append(initialise, ignore...)...),
		lines(append([]string{"kind: JoinConfiguration"}, ignore...)...),
		// From 1.35 on the kubelet refuses cgroup v1 unless told so.
		lines("kind: KubeletConfiguration", "failCgroupV1: false"),
	}
}

// alone is what a control plane without others can do without: electing leaders, each
// of which is a write every two seconds. And what a test cluster can: surviving a crash
// of its host, for which etcd syncs each write to the disk.
func alone() string {
	return lines(
		"kind: ClusterConfiguration",
		"etcd: {local: {extraArgs: [{name: unsafe-no-fsync, value: 'true'}]}}",
		"controllerManager: {extraArgs: [{name: leader-elect, value: 'false'}]}",
		"scheduler: {extraArgs: [{name: leader-elect, value: 'false'}]}",
	)
}

// registries lets tests tell nodes of a registry while they run, as kind's recipe does.
func registries() string {
	return lines(`[plugins."io.containerd.grpc.v1.cri".registry]`, `  config_path = "/etc/containerd/certs.d"`)
}

func lines(text ...string) string { return strings.Join(text, "\n") + "\n" }
