package nodeimage

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/host"
)

func TestQualify(t *testing.T) {
	for in, want := range map[string]string{
		"kindest/node:v1.37.0@sha256:abc": "docker.io/kindest/node@sha256:abc",
		"kindest/node:v1.37.0":            "docker.io/kindest/node:v1.37.0",
	} {
		if got := qualify(in); got != want {
			t.Errorf("%s: got %s", in, got)
		}
	}
}

func TestStockImageNeedsCgroupV2AndSysResource(t *testing.T) {
	for facts, want := range map[host.Facts]bool{
		{SysResource: true}:                 true,
		{SysResource: true, CgroupV1: true}: false,
		{}:                                  false,
	} {
		if got := (Builder{Facts: facts}).stockRuns(); got != want {
			t.Errorf("%+v: got %v", facts, got)
		}
	}
}

func TestAnswerKnowsTheEnginesSigns(t *testing.T) {
	for name, c := range map[string]struct {
		parts []string
		want  bool
	}{
		"docker":           {[]string{"sha256:x: Pulling ", "from kindest/node\n"}, true},
		"podman":           {[]string{"Trying to pull docker.io/kindest/node...\n", "Getting image source signatures\n"}, true},
		"podman asks only": {[]string{"Trying to pull docker.io/kindest/node...\n"}, false},
	} {
		called := false
		a := &answer{then: func() { called = true }}
		for _, part := range c.parts {
			if _, err := a.Write([]byte(part)); err != nil {
				t.Fatal(err)
			}
		}
		if called != c.want {
			t.Errorf("%s: got %v", name, called)
		}
	}
}

func TestPullGivesUpOnSilence(t *testing.T) {
	// A program that ignores its arguments' meaning and prints nothing.
	engine := filepath.Join(t.TempDir(), "engine")
	if err := os.WriteFile(engine, []byte("#!/bin/sh\nexec sleep 60\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := pull(t.Context(), engine, "x", 50*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "no answer from the registry within 50ms") {
		t.Errorf("got %v", err)
	}
}

func TestBuildFlagsStampTheVersions(t *testing.T) {
	got := strings.Join(append(kubernetesFlags("v1.37.2"), containerdFlags("v2.3.4")...), " ") + " "
	for _, want := range []string{
		"-X k8s.io/component-base/version.gitVersion=v1.37.2 ",
		"-X k8s.io/client-go/pkg/version.gitMajor=1 ",
		"-X k8s.io/component-base/version.gitMinor=37 ",
		"-X github.com/containerd/containerd/v2/version.Version=v2.3.4 ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
}

// TestKindsFiles reads kind's real files, so that a new kind that they do not
// fit fails here and not in the middle of a long build.
func TestKindsFiles(t *testing.T) {
	out, err := command.Output(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kind")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(out), "images/base/files/etc/containerd/config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	for restrict, want := range map[bool]string{true: "restrict_oom_score_adj = true", false: "restrict_oom_score_adj = false"} {
		got, err := containerdConfig(string(text), "registry.k8s.io/pause:9", restrict)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got, want) || !strings.Contains(got, `sandbox_image = "registry.k8s.io/pause:9"`) {
			t.Errorf("not adapted:\n%s", got)
		}
	}
	if _, err := containerdConfig("", "x", false); err == nil {
		t.Error("a configuration without the settings is accepted")
	}
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	tr := &tree{root: root}
	tr.kindFiles(inputs{kindDir: strings.TrimSpace(out)}, "registry.k8s.io/pause:9")
	if tr.err != nil {
		t.Fatal(tr.err)
	}
	for name, want := range map[string]os.FileMode{"usr/local/bin/entrypoint": 0o755, "kind/bin/mount-product-files.sh": 0o755, "etc/systemd/system/kubelet.service": 0o644} {
		if info, err := root.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if _, err := root.Stat("usr/local/bin/clean-install"); err == nil {
		t.Error("kind's build script is in the image")
	}
}

func TestCRIBase(t *testing.T) {
	got, err := criBase([]byte(`{"process":{"rlimits":[{}],"cwd":"/"},"linux":{"x":18446744073709551615}}`))
	if err != nil {
		t.Fatal(err)
	}
	var spec struct {
		Process struct {
			Rlimits []any
			Cwd     string
		}
		Hooks struct{ CreateContainer []struct{ Path string } }
		Linux struct{ X uint64 }
	}
	if err := json.Unmarshal(got, &spec); err != nil {
		t.Fatal(err)
	}
	if spec.Process.Rlimits != nil || spec.Process.Cwd != "/" || spec.Linux.X != 1<<64-1 ||
		len(spec.Hooks.CreateContainer) != 1 || spec.Hooks.CreateContainer[0].Path != "/kind/bin/mount-product-files.sh" {
		t.Errorf("got %s", got)
	}
}

func TestPlanImages(t *testing.T) {
	references := []string{
		"registry.k8s.io/kube-apiserver:v1", "registry.k8s.io/kube-controller-manager:v1", "registry.k8s.io/kube-scheduler:v1",
		"registry.k8s.io/kube-proxy:v1", "registry.k8s.io/coredns/coredns:v1", "registry.k8s.io/pause:3", "registry.k8s.io/etcd:3",
	}
	plan, err := planImages(references, binaries{kubernetes: "/k", own: "/o"})
	if err != nil {
		t.Fatal(err)
	}
	kubernetes, pause := plan.images[0], plan.images[1]
	names := append([]string{kubernetes.Reference}, kubernetes.Also...)
	wantNames := []string{references[0], references[1], references[2], references[6]}
	if !slices.Equal(names, wantNames) || kubernetes.Files[0].Source != "/k/hyperkube" {
		t.Errorf("got %q of %s, want %q", names, kubernetes.Files[0].Source, wantNames)
	}
	var links []string
	for _, file := range kubernetes.Files[1:] {
		links = append(links, file.Path)
	}
	wantLinks := []string{
		"usr/local/bin/kube-apiserver", "usr/local/bin/kube-controller-manager", "usr/local/bin/kube-scheduler", "usr/local/bin/etcd",
	}
	if !slices.Equal(links, wantLinks) {
		t.Errorf("links %q, want %q", links, wantLinks)
	}
	if plan.pause != references[5] || pause.Reference != plan.pause || pause.Files[0].Source != "/o/pause" {
		t.Errorf("pause is %s, %+v", plan.pause, pause)
	}
	if _, err := planImages(references[1:], binaries{}); err == nil || !strings.Contains(err.Error(), "kube-apiserver") {
		t.Errorf("a missing image: %v", err)
	}
}

func TestInputsAreStable(t *testing.T) {
	b := Builder{}
	first, err := b.inputs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := b.inputs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if first.reference() != second.reference() {
		t.Errorf("%s and %s", first.reference(), second.reference())
	}
	b.Facts.SysResource = true
	other, err := b.inputs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if other.hash == first.hash {
		t.Error("another kind of machine has the same image")
	}
	if !strings.HasPrefix(first.reference(), Repository+":"+first.module("kubernetes").version+"-") {
		t.Errorf("reference %s", first.reference())
	}
}
