package e2eimage

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/outlive"
)

// command runs the user's command and finds the image that it left: the one that it named
// with the decided name, else the one of the source's name. No suite beside this one builds
// the same source meanwhile: only its name tells which image a command left there.
func (r *buildRun) command(ctx context.Context, image config.Image, prepared preparedBuild,
	output io.Writer,
) (engine.Image, error) {
	var found engine.Image
	run := func() error {
		err := engine.Run(ctx, r.client.runner, prepared.command, prepared.env, image.Build.Dir, output)
		if err != nil {
			return err
		}
		if found, err = r.left(ctx, image, prepared); err != nil {
			return err
		}
		// Where docker keeps indexes, each build makes another one of the same image.
		found.TryToIdentify(ctx, r.client.runner)
		return context.Cause(ctx)
	}
	if reference(image) == "" {
		return found, run()
	}
	err := r.lock.file.InTurn(ctx, reference(image), run)
	return found, err
}

// left is the image that the command left.
func (r *buildRun) left(ctx context.Context, image config.Image, prepared preparedBuild) (engine.Image, error) {
	by, name := prepared.spec.Engine, reference(image)
	for one, id := range r.whoHas(ctx, prepared) {
		if id != prepared.before[one] || name == "" {
			by, name = one, prepared.target
		}
	}
	failed := &Error{Code: CodeBuild, Image: image.Name}
	if name == "" {
		return engine.Image{}, failed.says("its build command succeeded, but left no image %s\nlet it build {{.Image}}, or "+
			"the variable E2EIMAGE_IMAGE; or write the name that it builds into source", prepared.target)
	}
	found, err := engine.Find(ctx, r.client.runner, by, name)
	if err != nil {
		return found, failed.says("its build command succeeded, but left no image: %w", err)
	}
	return found, nil
}

// whoHas are the engines that have an image of the decided name, with its ID. One that does
// not answer has none.
func (r *buildRun) whoHas(ctx context.Context, prepared preparedBuild) map[string]string {
	asked := engine.Installed()
	if prepared.spec.Engine != "" {
		asked = []string{prepared.spec.Engine}
	}
	ids := map[string]string{}
	for _, one := range asked {
		if id, err := engine.ID(ctx, r.client.runner, one, prepared.target); err == nil && id != "" {
			ids[one] = id
		}
	}
	return ids
}

// restoreName undoes that a command gave the decided name, where its image is recorded
// under another one or not at all.
func (r *buildRun) restoreName(ctx context.Context, prepared preparedBuild) {
	ctx, cancel := outlive.WithGracePeriod(ctx, undoLimit)
	defer cancel()
	for by, id := range r.whoHas(ctx, prepared) {
		var err error
		switch before := prepared.before[by]; before {
		case id:
		case "":
			err = engine.Image{Engine: by, EngineID: id, Reference: prepared.target}.Remove(ctx, r.client.runner)
		default:
			err = engine.Image{Engine: by, EngineID: before}.Name(ctx, r.client.runner, prepared.target)
		}
		if err != nil && !engine.IsGone(err) {
			r.client.report.Warn(fmt.Sprintf("%s stays in %s: %v", prepared.target, by, err))
		}
	}
}

// checkCommand says where a command left an image that this suite, or one beside it,
// built from other files. That can be right: not all files of a context are in an image.
func (r *buildRun) checkCommand(image config.Image, found engine.Image, tree *lock.Tree) {
	if tree == nil || found.Reference != reference(image) {
		return
	}
	var whose string
	for _, locked := range append(r.lock.beside(), r.lock.current()) {
		for _, entry := range locked.Images {
			if entry.Source != image.Source || !entry.Same(&lock.Entry{
				ImageID: found.ImageID, Engine: found.Engine,
				EngineID: found.EngineID,
			}) {
				continue
			}
			if entry.Tree == nil || entry.Tree.Content == tree.Content {
				return
			}
			whose = locked.Consumer
		}
	}
	id := ociimage.ShortID(found.EngineID)
	switch whose {
	case "":
	case r.consumer:
		r.client.report.Warn(fmt.Sprintf("%s: its build command left the image unchanged (%s), although files in %s "+
			"changed; check that it builds %s",
			image.Name, id, image.Build.Context, image.Source))
	default:
		r.client.report.Warn(fmt.Sprintf("%s: its build command left the image %s, which suite %s built from other files; "+
			"check that it builds %s, or give each suite its own source",
			image.Name, id, whose, image.Source))
	}
}

// beside are the locks of other suites in the same folder.
func (l *locks) beside() []*lock.Lock {
	var others []*lock.Lock
	all, _ := lock.ReadAll(filepath.Dir(l.file.Path())) // those that are damaged say nothing
	for _, other := range all {
		if other.Path() != l.file.Path() {
			others = append(others, other)
		}
	}
	return others
}
