package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The suite uses the library: no command of the plugin runs.
func TestTheGinkgoSuiteOfTheExamples(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.env = append(slices.Clone(u.env), "E2EIMAGE_NAMESPACE="+u.namespace, "E2EIMAGE_CONSUMER="+u.namespace, "E2EIMAGE_ENGINE="+suite.provider)
	dir := u.example("ginkgo")
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if result := u.run(dir, "go", "mod", "edit", "-replace=github.com/e2eimage/kubectl-e2eimage="+root); result.code != 0 {
		t.Fatal(result.stderr)
	}
	ginkgo := func(more ...string) outcome {
		argv := append([]string{"go", "tool", "ginkgo", "-p", "--procs", "4", "--no-color"}, more...)
		return u.run(dir, append(argv, "./e2e")...)
	}
	// The second finds nothing to build.
	for range 2 {
		if result := ginkgo(); result.code != 0 || !strings.Contains(result.stdout, "8 Passed | 0 Failed") {
			t.Fatalf("exit %d: %s\n%s", result.code, result.stdout, result.stderr)
		}
		if left := u.kubectl("get", "deployments,services,pods", "-o", "name"); left != "" {
			t.Errorf("these are left: %s", left)
		}
		u.nothingLeft("localhost/datastorage:" + u.namespace)
		u.nothingLeft("localhost/gateway:" + u.namespace)
	}
	if covered := u.run(dir, "go", "tool", "covdata", "percent", "-i", "artifacts/coverage"); covered.code != 0 || !strings.Contains(covered.stdout, "ginkgo/gateway\t\tcoverage: 100.0%") {
		t.Errorf("exit %d: %s%s", covered.code, covered.stdout, covered.stderr)
	}

	code, err := os.ReadFile(filepath.Join(dir, "datastorage", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	u.write("examples/ginkgo/datastorage/main.go", strings.Replace(string(code), "w.Write(text)", `w.Write(append(text, '!'))`, 1))
	result := ginkgo("--focus", "keeps a record of process 0")
	if result.code == 0 || !strings.Contains(result.stdout, "a text!") {
		t.Errorf("exit %d: %s", result.code, result.stdout)
	}
	kept, err := filepath.Glob(filepath.Join(dir, "artifacts", u.namespace+"-*", "summary.txt"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept are %v, %v", kept, err)
	}
	if text, err := os.ReadFile(kept[0]); err != nil || !strings.Contains(string(text), "a text!") {
		t.Errorf("%s, %v", text, err)
	}
	u.nothingLeft("localhost/datastorage:" + u.namespace)
}
