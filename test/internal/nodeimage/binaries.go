package nodeimage

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/steps"
)

// ownPrograms are the mains of this repository that go into the image, by their
// folder below test/nodeimage.
func ownPrograms() []string { return []string{"pause", "kubeadm", "podnetwork"} }

// binaries are the folders with what was built.
type binaries struct {
	kubernetes, containerd, criTools, own string
}

// binaries builds what is not in the cache, one module after the other: each
// build keeps all cores busy by itself.
func (b Builder) binaries(ctx context.Context, in inputs) (binaries, error) {
	dirs := map[string]string{}
	for _, r := range recipes() {
		m := in.module(r.folder)
		out := filepath.Join(b.State, "bin", m.folder+"-"+m.key)
		dirs[r.folder] = out
		if _, err := os.Stat(out); err == nil {
			continue
		}
		what := fmt.Sprintf("building %s %s (usually %s, the first time)", m.folder, m.version, r.usual)
		err := steps.Do(ctx, b.Log, what, func(ctx context.Context) error {
			return build(ctx, m.dir, out, append(m.flags, "tool")...)
		})
		if err != nil {
			return binaries{}, err
		}
	}
	own := filepath.Join(b.State, "bin", "own-"+in.hash)
	if _, err := os.Stat(own); err != nil {
		args := []string{"-trimpath", "-ldflags", "-s -w"}
		for _, program := range ownPrograms() {
			args = append(args, "./test/nodeimage/"+program)
		}
		if err := build(ctx, in.moduleDir, own, args...); err != nil {
			return binaries{}, err
		}
	}
	return binaries{kubernetes: dirs["kubernetes"], containerd: dirs["containerd"], criTools: dirs["cri-tools"], own: own}, nil
}

// build puts static binaries into the folder out, which appears only when all
// of them are there.
func build(ctx context.Context, dir, out string, args ...string) error {
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(out), "tmp-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	err = command.Cmd{
		Argv: append([]string{"go", "build", "-o", tmp + "/"}, args...),
		Dir:  dir,
		// What the caller set for this repository's own builds must not
		// leak into these.
		Env: []string{"CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off"},
	}.Run(ctx)
	if err != nil {
		return fmt.Errorf("build %s: %w", strings.TrimSuffix(filepath.Base(dir), "/"), err)
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	return os.Rename(tmp, out)
}
