package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module copies an example that is a module of its own; it uses this repository's library.
func (u *user) module(name string, uses ...string) string {
	u.t.Helper()
	dir := u.example(name)
	root, err := filepath.Abs("../..")
	if err != nil {
		u.t.Fatal(err)
	}
	for _, used := range append(uses, "") {
		replaced := strings.TrimSuffix("github.com/e2eimage/kubectl-e2eimage/"+used, "/")
		if result := u.run(dir, "go", "mod", "edit", "-replace="+replaced+"="+filepath.Join(root, used)); result.code != 0 {
			u.t.Fatal(result.stderr)
		}
	}
	return dir
}

func TestTheKubebuilderProjectOfTheExamples(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.env = append(slices.Clone(u.env), "E2EIMAGE_CONSUMER="+u.namespace, "E2EIMAGE_ENGINE="+suite.provider,
		"CONTAINER_TOOL="+suite.provider, "KIND_CLUSTER="+suite.cluster)
	dir := u.module("kubebuilder", "integrations/kubebuilder")
	// Names of its own, since others may run the same beside it.
	own := strings.NewReplacer("project-v4-system", u.namespace, "project-v4", u.namespace,
		"controller:latest", "localhost/"+u.namespace+"-controller:latest")
	for _, file := range []string{"Makefile", "e2eimage.yaml", "config/default/kustomization.yaml", "config/manager/manager.yaml", "test/e2e/e2e_test.go"} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		u.write(filepath.Join("examples/kubebuilder", file), own.Replace(string(text)))
	}
	u.wipeHost()
	git := func(args ...string) outcome {
		return u.run(dir, append([]string{"git", "-c", "user.name=me", "-c", "user.email=me@example.com"}, args...)...)
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"commit", "-q", "-m", "all"}} {
		if result := git(args...); result.code != 0 {
			t.Fatal(result.stderr)
		}
	}
	if result := u.run(dir, "make", "test-e2e"); result.code != 0 || !strings.Contains(result.stdout, "--- PASS: TestE2E") {
		t.Fatalf("exit %d: %s\n%s", result.code, result.stdout, result.stderr)
	}
	if changed := git("status", "--porcelain"); changed.code != 0 || changed.stdout != "" {
		t.Errorf("files under version control changed: %s%s", changed.stdout, changed.stderr)
	}
	for node, has := range imagesOn(t) {
		if len(has.with("example.com/"+u.namespace+":v0.0.1")) == 0 {
			t.Errorf("node %s does not have what the scaffold's function loaded", node)
		}
	}
	if left := u.kubectl("get", "deployments,pods", "-o", "name"); left != "" {
		t.Errorf("these are left: %s", left)
	}
	u.nothingLeft("localhost/controller:" + u.namespace)
}

func TestTheE2EFrameworkSuiteOfTheExamples(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.env = append(slices.Clone(u.env), "E2EIMAGE_ENGINE="+suite.provider)
	dir := u.module("e2e-framework", "integrations/e2e-framework")
	if result := u.run(dir, "go", "test", "-count=1", "-v", "./e2e"); result.code != 0 || !strings.Contains(result.stdout, "--- PASS: TestDatastorage/datastorage/its_pods_run_that_image") {
		t.Fatalf("exit %d: %s\n%s", result.code, result.stdout, result.stderr)
	}
	u.nothingLeft("localhost/datastorage:e2e-framework-")
}
