package e2e

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
)

// without is an environment without a variable.
func without(env []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(variable string) bool { return strings.HasPrefix(variable, name+"=") })
}

// Not parallel: while the twin is there, the other tests would have to say which.
func TestTwinsOfOneNameOnTwoEngines(t *testing.T) {
	other := map[string]string{kindtest.Podman: kindtest.Docker, kindtest.Docker: kindtest.Podman}[suite.provider]
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	theirs := filepath.Join(u.dir, "twin.kubeconfig")
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if err := kindtest.Delete(ctx, suite.cluster, other); err != nil {
			t.Error(err)
		}
		if _, err := kindtest.Environment(ctx, suite.provider, nil); err != nil {
			t.Error(err)
		}
	})
	err := kindtest.Create(t.Context(), kindtest.Options{Name: suite.cluster, Provider: other, Kubeconfig: theirs})
	if err == nil {
		// The environment is the other engine's now.
		_, err = kindtest.Environment(t.Context(), suite.provider, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	tag := []string{"tag", "datastorage", "--source", source, "--consumer", u.namespace}
	ours := without(newUser(t).env, "KIND_EXPERIMENTAL_PROVIDER")
	for name, test := range map[string]struct {
		env  []string
		args []string
		code int
		says []string
	}{
		"nobody says which":                    {nil, nil, 2, []string{"docker and podman each have a Kind cluster", "--provider"}},
		"a flag says which":                    {nil, []string{"--provider", suite.provider}, 0, nil},
		"kind's own variable says which":       {[]string{"KIND_EXPERIMENTAL_PROVIDER=" + suite.provider}, nil, 0, nil},
		"the flag goes first":                  {[]string{"KIND_EXPERIMENTAL_PROVIDER=" + other}, []string{"--provider", suite.provider}, 0, nil},
		"the twin's nodes with our API server": {nil, []string{"--provider", other}, 3, []string{"does not belong to Kind cluster", "on " + other, "another certificate authority", "--provider"}},
		"our nodes with the twin's API server": {[]string{"KUBECONFIG=" + theirs}, []string{"--provider", suite.provider}, 3, []string{"does not belong to Kind cluster", "kubectl config use-context"}},
	} {
		t.Run(name, func(t *testing.T) {
			u := &user{t: t, namespace: u.namespace, dir: u.dir, env: append(slices.Clone(ours), test.env...)}
			if len(test.env) > 0 && strings.HasPrefix(test.env[0], "KUBECONFIG") {
				u.namespace = "default"
			}
			result := u.e2eimage(append(slices.Clone(tag), test.args...)...)
			wantRefused(t, result, test.code, test.says...)
		})
	}
	out, err := exec.CommandContext(t.Context(), other, "exec", suite.cluster+"-control-plane", "ctr", "-n", "k8s.io", "images", "ls", "-q", `labels."e2eimage.dev/owner"`).Output()
	if err != nil || strings.TrimSpace(string(out)) != "" {
		t.Errorf("the twin has got %q, %v", out, err)
	}
	u.env = append(u.env, "KIND_EXPERIMENTAL_PROVIDER="+suite.provider)
	u.must("clean", "datastorage")
	u.nothingLeft("localhost/datastorage:" + u.namespace)
}

func TestAnEngineWhoseDaemonIsDown(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	u.env = append(u.env, "DOCKER_HOST=unix:///nowhere/docker.sock")
	args := []string{"tag", "datastorage", "--source", source, "--consumer", u.namespace}
	if suite.provider == kindtest.Docker {
		u.refused(1, []string{"no Kind cluster", "docker did not answer", "/nowhere/docker.sock"}, args...)
		return
	}
	u.must(args...)
	u.refused(1, []string{"docker did not answer", "/nowhere/docker.sock"}, append(args, "--kind-cluster", "nowhere")...)
}

// What kind puts in front of several control planes is a container of the
// cluster, but no node.
func TestALoadBalancerIsNoNode(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	image, err := exec.CommandContext(t.Context(), suite.provider, "inspect", "--format", "{{.Config.Image}}", suite.nodes[0]).Output()
	if err != nil {
		t.Fatal(err)
	}
	balancer := suite.cluster + "-external-load-balancer"
	out, err := exec.CommandContext(t.Context(), suite.provider, "create", "--name", balancer,
		"--label", "io.x-k8s.kind.cluster="+suite.cluster, "--label", "io.x-k8s.kind.role=external-load-balancer",
		strings.TrimSpace(string(image))).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command(suite.provider, "rm", "--force", "--volumes", balancer).Run() })
	result := u.e2eimage("tag", "datastorage", "--source", source, "--consumer", u.namespace, "-o", "json")
	if result.code != 0 || strings.Contains(result.stdout, balancer) || !strings.Contains(result.stdout, suite.nodes[2]) {
		t.Errorf("exit %d: %s%s", result.code, result.stdout, result.stderr)
	}
}
