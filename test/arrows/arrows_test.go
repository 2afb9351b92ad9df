// Package arrows holds the tests of how the product is laid out: imports point one way, and
// files and lines are short.
package arrows

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/e2eimage/kubectl-e2eimage/"

// allowed says which packages of this module each package may import. Packages
// that are missing here may import none.
var allowed = map[string][]string{
	"cmd/kubectl-e2eimage":                   {"internal/cli"},
	"internal/cli":                           {"internal/foreign", "internal/heed", "internal/nearest", "internal/terminal", "internal/version", "pkg/e2eimage", "pkg/config", "pkg/progress"},
	"internal/terminal":                      {"internal/foreign", "pkg/progress"},
	"pkg/config":                             {"internal/foreign", "internal/nearest"},
	"pkg/progress":                           {"internal/foreign"},
	"pkg/e2eimage":                           {"internal/foreign", "internal/heed", "internal/nearest", "internal/version", "pkg/internal/outlive", "pkg/internal/apply", "pkg/internal/buildtree", "pkg/internal/engine", "pkg/internal/freshness", "pkg/internal/hostexec", "pkg/internal/images", "pkg/internal/kindnode", "pkg/internal/kube", "pkg/internal/lock", "pkg/internal/manifest", "pkg/internal/record", "pkg/internal/rollout", "pkg/internal/ociimage", "pkg/internal/registry", "pkg/config", "pkg/progress", "pkg/internal/artifacts"},
	"pkg/e2eimagetest":                       {"pkg/config", "pkg/e2eimage", "pkg/internal/manifest"},
	"pkg/internal/engine":                    {"internal/heed", "internal/nearest", "pkg/internal/outlive", "pkg/internal/hostexec", "pkg/internal/ociimage", "pkg/config", "pkg/progress"},
	"pkg/internal/kindnode":                  {"pkg/internal/containerd", "pkg/internal/images", "pkg/internal/outlive", "pkg/internal/hostexec", "pkg/internal/ociimage"},
	"pkg/internal/kindnode/kindnodetest":     {"pkg/internal/containerd/containerdtest", "pkg/internal/hostexec", "pkg/internal/kindnode"},
	"pkg/internal/containerd":                {"pkg/internal/images", "pkg/internal/ociimage"},
	"pkg/internal/images":                    {"pkg/internal/ociimage"},
	"pkg/internal/containerd/containerdtest": {"pkg/internal/containerd"},
	"pkg/internal/hostexec":                  {"internal/foreign"},
	"pkg/internal/engine/enginetest":         {"pkg/internal/hostexec"},
	"pkg/internal/manifest":                  {"pkg/internal/ociimage"},
	"pkg/internal/registry":                  {"pkg/internal/outlive", "pkg/internal/images", "pkg/internal/ociimage", "pkg/config"},
	"pkg/internal/record":                    {"internal/foreign"},
	"pkg/internal/artifacts":                 {"internal/foreign"},
	"pkg/internal/apply":                     {"internal/foreign", "internal/nearest", "pkg/internal/outlive", "pkg/internal/kube", "pkg/progress"},
	"pkg/internal/kube":                      {"internal/foreign", "pkg/internal/ociimage"},
	"pkg/internal/kube/kubetest":             {"pkg/internal/kube", "pkg/progress"},
	"pkg/internal/rollout":                   {"internal/foreign", "pkg/internal/kube", "pkg/internal/ociimage", "pkg/progress"},
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	for _, p := range productPackages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		for _, imported := range p.Imports {
			to, ours := strings.CutPrefix(imported, module)
			if ours && !slices.Contains(allowed[from], to) {
				t.Errorf("%s must not import %s", from, to)
			}
		}
	}
}

func TestOnlyKindnodeKnowsKind(t *testing.T) {
	t.Parallel()
	for _, p := range productPackages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		for _, imported := range p.Imports {
			if strings.HasPrefix(imported, "sigs.k8s.io/kind") && from != "pkg/internal/kindnode" {
				t.Errorf("%s imports %s; only pkg/internal/kindnode may", from, imported)
			}
		}
	}
}

func TestNothingRegistersItselfAtStart(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "git", "-C", "../..", "grep", "-nE", `^func init\(`, "--", "*.go").CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return
	}
	t.Errorf("init() functions: %v\n%s", err, out)
}

func productPackages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"pkg/...", module+"cmd/...", module+"internal/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if len(packages) < 8 {
		t.Fatalf("only %d packages found: is the pattern still right?", len(packages))
	}
	return packages
}

// Whoever imports the library gets what it needs, and no terminal's or command line's
// modules into go.mod.
func TestTheLibraryNeedsNoModuleOfTheCommandLine(t *testing.T) {
	t.Parallel()
	public := []string{module + "pkg/e2eimage", module + "pkg/e2eimagetest", module + "pkg/config", module + "pkg/progress"}
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps"}, public...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, imported := range strings.Fields(string(out)) {
		for _, unwanted := range []string{"github.com/vbauerster/mpb", module + "internal/terminal", module + "internal/cli", "github.com/onsi/"} {
			if strings.HasPrefix(imported, unwanted) {
				t.Errorf("the library imports %s", imported)
			}
		}
	}
}
