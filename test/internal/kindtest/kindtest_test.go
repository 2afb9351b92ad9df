package kindtest

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/host"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/nodeimage"
)

func TestConfigOfOurImage(t *testing.T) {
	got := config(Options{Name: "x", Workers: 2}, nodeimage.Image{}, host.Facts{CgroupV1: true})
	want := &v1alpha4.Cluster{
		TypeMeta: v1alpha4.TypeMeta{Kind: "Cluster", APIVersion: "kind.x-k8s.io/v1alpha4"},
		Name:     "x",
		Nodes:    []v1alpha4.Node{{Role: "control-plane"}, {Role: "worker"}, {Role: "worker"}},
		Networking: v1alpha4.Networking{
			DisableDefaultCNI: true,
			KubeProxyMode:     "none",
		},
		KubeadmConfigPatches: []string{
			"kind: InitConfiguration\nskipPhases: [preflight, addon/kube-proxy, addon/coredns]\nnodeRegistration:\n  ignorePreflightErrors: [SystemVerification]\n",
			"kind: JoinConfiguration\nnodeRegistration:\n  ignorePreflightErrors: [SystemVerification]\n",
			"kind: KubeletConfiguration\nfailCgroupV1: false\n",
			alone(),
		},
		ContainerdConfigPatches: []string{registries()},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestControlPlanesOfSeveralElectLeaders(t *testing.T) {
	got := config(Options{Name: "x", ControlPlanes: 3}, nodeimage.Image{}, host.Facts{})
	if slices.Contains(got.KubeadmConfigPatches, alone()) {
		t.Errorf("got %q", got.KubeadmConfigPatches)
	}
}

func TestConfigOnCgroupV2LeavesTheKubeletAlone(t *testing.T) {
	got := patches(false)
	if len(got) != 1 || strings.Contains(got[0], "nodeRegistration") {
		t.Errorf("got %q", got)
	}
}

func TestConfigOfTheStockImageIsKindsDefault(t *testing.T) {
	got := config(Options{Name: "x", ControlPlanes: 3}, nodeimage.Image{Stock: true}, host.Facts{})
	if len(got.Nodes) != 3 || got.Networking != (v1alpha4.Networking{}) || got.KubeadmConfigPatches != nil {
		t.Errorf("got %+v", got)
	}
}

func TestValidateReportsAll(t *testing.T) {
	err := Options{Workers: -1}.validate()
	for _, want := range []string{"needs a name", "podman or docker", "kubeconfig", "negative"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
	if err := (Options{Name: "x", Provider: Podman, Kubeconfig: "f"}).validate(); err != nil {
		t.Error(err)
	}
}

func TestNodeNames(t *testing.T) {
	got := nodeNames(Options{Name: "x", Workers: 2})
	slices.Sort(got)
	if want := []string{"x-control-plane", "x-worker", "x-worker2"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestLoggerWritesWholeLines(t *testing.T) {
	var out strings.Builder
	l := logger{&out}
	l.V(0).Info(" • x ...\n")
	l.V(1).Info("verbose")
	l.Warnf("w %d", 1)
	if got := out.String(); got != "• x ...\nwarning: w 1\n" {
		t.Errorf("got %q", got)
	}
}
