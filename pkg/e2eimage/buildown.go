package e2eimage

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/buildtree"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
)

// withoutOwn lets the engine leave the lock's folder out of the build context: it changes
// with each build, and a Dockerfile that copies all would make another image each time.
// Where the engine cannot, or where not all of the build is known, that is said.
func (r *buildRun) withoutOwn(ctx context.Context, image config.Image, spec engine.BuildSpec,
	inputs buildtree.Inputs,
) engine.BuildSpec {
	tree := inputs.Tree
	folder := filepath.Dir(r.lock.file.Path())
	if len(image.Build.Command) > 0 || !tree.Sends(folder) {
		return spec
	}
	file, pattern, ok := tree.LeavesOut()
	leave := &engine.LeaveOut{IgnoreFile: file, Pattern: pattern, Dockerfile: tree.Dockerfile()}
	// Of flags that are not all understood, one may name another Dockerfile or ignore file,
	// which an own one would take the place of.
	ok = ok && inputs.Unknown == ""
	if ok && filepath.Base(folder) == ownFolder &&
		(spec.Engine == "podman" || leave.Dockerfile != "" && engine.OnlyBuildKit(ctx, r.client.runner, spec.Engine)) {
		spec.LeaveOut = leave
		return spec
	}
	r.client.report.Warn(fmt.Sprintf("%s: its build context contains %s, which changes with each build\n"+
		"add %s to .dockerignore: a Dockerfile that copies everything would make a new image each time",
		image.Name, folder, filepath.Base(folder)))
	return spec
}

// ownFolder is where locks are, unless --lock says otherwise.
const ownFolder = ".e2eimage"
