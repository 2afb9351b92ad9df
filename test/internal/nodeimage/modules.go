package nodeimage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
)

// mainModule is the module that this package belongs to.
const mainModule = "github.com/e2eimage/kubectl-e2eimage"

// module is one of the small modules in test/nodeimage that name what has to be built.
// containerd has one of its own: it does not compile with Kubernetes' newer CRI API.
type module struct {
	// folder is its name below test/nodeimage, dir the whole path.
	folder, dir string
	// version is that of the module it exists for.
	version string
	// packages are what is built, flags how.
	packages, flags []string
	// key is the hash of all that decides what the build gives.
	key string
}

// built is the name of the folder with its programs.
func (m module) built() string { return m.folder + "-" + m.key }

// recipe says how one of the modules is built.
type recipe struct {
	folder, path string
	packages     []string
	flags        func(version string) []string
	usual        string
}

const (
	// programFolder is where Kubernetes' module has the program of this repository that
	// is all of Kubernetes' own, and that program's name.
	programFolder  = "hyperkube"
	containerdPath = "github.com/containerd/containerd/v2"
)

func recipes() []recipe {
	return []recipe{
		{
			folder: "kubernetes", path: "k8s.io/kubernetes", packages: []string{"./" + programFolder, "tool"},
			flags: kubernetesFlags, usual: "5 to 10 minutes on 2 cores",
		},
		{
			folder: "containerd", path: containerdPath, packages: []string{"tool"},
			flags: containerdFlags, usual: "1 minute on 2 cores",
		},
	}
}

// kubernetesFlags stamps the version: kubeadm refuses to work without one.
func kubernetesFlags(version string) []string {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	stamp := "-s -w"
	for _, p := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		stamp += fmt.Sprintf(" -X %s.gitVersion=%s -X %s.gitMajor=%s -X %s.gitMinor=%s -X %s.gitTreeState=clean",
			p, version, p, parts[0], p, parts[1], p)
	}
	return append(quickFlags(), "-tags", "grpcnotrace", "-ldflags", stamp)
}

// containerdFlags leaves out the snapshotters that kind leaves out.
func containerdFlags(version string) []string {
	return append(quickFlags(),
		"-tags", "grpcnotrace no_btrfs no_devmapper no_zfs no_aufs",
		"-ldflags", "-s -w -X "+containerdPath+"/version.Version="+version)
}

// readModules reads the versions from the go.mod files, the only place that
// states them.
func readModules(ctx context.Context, root string) ([]module, error) {
	toolchain, err := command.Output(ctx, "go", "env", "GOVERSION", "GOARCH")
	if err != nil {
		return nil, err
	}
	var modules []module
	for _, r := range recipes() {
		m := module{folder: r.folder, dir: filepath.Join(root, r.folder)}
		m.version, err = required(ctx, m.dir, r.path)
		if err != nil {
			return nil, err
		}
		m.packages, m.flags = r.packages, r.flags(m.version)
		h := sha256.New()
		fmt.Fprintf(h, "%s %q %q\n", toolchain, m.packages, m.flags)
		sources, err := filepath.Glob(filepath.Join(m.dir, "*", "*.go"))
		if err != nil {
			return nil, err
		}
		for _, file := range append(sources, filepath.Join(m.dir, "go.mod"), filepath.Join(m.dir, "go.sum")) {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(h, "%s %d %s\n", filepath.Base(file), len(text), text)
		}
		m.key = hex.EncodeToString(h.Sum(nil))[:12]
		modules = append(modules, m)
	}
	return modules, nil
}

func required(ctx context.Context, dir, path string) (string, error) {
	out, err := command.Cmd{Argv: []string{"go", "mod", "edit", "-json"}, Dir: dir}.Output(ctx)
	if err != nil {
		return "", err
	}
	var mod struct {
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal([]byte(out), &mod); err != nil {
		return "", fmt.Errorf("go.mod of %s: %w", dir, err)
	}
	for _, r := range mod.Require {
		if r.Path == path {
			return r.Version, nil
		}
	}
	return "", fmt.Errorf("%s/go.mod does not require %s", dir, path)
}
