package nodeimage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/steps"
)

// ownPrograms are the mains of this repository that go into the image, by their
// folder below test/nodeimage.
func ownPrograms() []string { return []string{"pause", "podnetwork"} }

// binaries are the folders with what was built.
type binaries struct {
	kubernetes, containerd, own string
}

// hyperkube is the file that is each of Kubernetes' programs, by the name of the link.
func (b binaries) hyperkube() string { return filepath.Join(b.kubernetes, programFolder) }

// quickFlags make a build quicker; docs/development.md has the figures. Nobody debugs
// these programs, so the compiler writes nothing for debuggers. The packages after all
// are half of the code and do little of the work on a node: they go without inlining.
func quickFlags() []string {
	flags := []string{"-trimpath", "-gcflags=all=-dwarf=false"}
	for _, rarelyBusy := range []string{"k8s.io/kubernetes/...", "k8s.io/client-go/...", "k8s.io/kubectl/..."} {
		flags = append(flags, "-gcflags="+rarelyBusy+"=-dwarf=false -l")
	}
	return flags
}

// binaries builds what is not in the cache, one module after the other: each
// build keeps all cores busy by itself.
func (b Builder) binaries(ctx context.Context, in inputs) (binaries, error) {
	dirs := map[string]string{}
	// The builds share a cache of their own, which goes when they are done: it has
	// gigabytes that no other build can use. After a failure it stays, and the next try
	// goes on from there.
	cache := filepath.Join(b.State, "build-cache")
	for _, r := range recipes() {
		m := in.module(r.folder)
		out := filepath.Join(b.State, "bin", m.built())
		dirs[r.folder] = out
		if _, err := os.Stat(out); err == nil {
			continue
		}
		what := fmt.Sprintf("compiling %s %s (usually %s, once)", m.folder, m.version, r.usual)
		err := steps.Do(ctx, b.Log, what, func(ctx context.Context) error {
			return build(ctx, m.dir, out, []string{"GOCACHE=" + cache}, append(m.flags, m.packages...)...)
		})
		if err != nil {
			return binaries{}, err
		}
	}
	if err := os.RemoveAll(cache); err != nil {
		return binaries{}, err
	}
	own := filepath.Join(b.State, "bin", "own-"+in.hash)
	if _, err := os.Stat(own); err != nil {
		args := []string{"-trimpath", "-ldflags", "-s -w"}
		for _, program := range ownPrograms() {
			args = append(args, "./test/nodeimage/"+program)
		}
		if err := build(ctx, in.moduleDir, own, nil, args...); err != nil {
			return binaries{}, err
		}
	}
	return binaries{kubernetes: dirs["kubernetes"], containerd: dirs["containerd"], own: own}, nil
}

// build puts static binaries into the folder out, which appears only when all
// of them are there.
func build(ctx context.Context, dir, out string, env []string, args ...string) (err error) {
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(out), "tmp-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	err = command.Cmd{
		Argv: append([]string{"go", "build", "-o", tmp + "/"}, args...),
		Dir:  dir,
		// What the caller set for this repository's own builds must not
		// leak into these.
		Env: append([]string{"CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off"}, env...),
	}.Run(ctx)
	if err != nil {
		return fmt.Errorf("build %s: %w", strings.TrimSuffix(filepath.Base(dir), "/"), err)
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	return os.Rename(tmp, out)
}
