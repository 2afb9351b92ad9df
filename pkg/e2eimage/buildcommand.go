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
)

// command runs the user's command. No suite beside this one builds the same reference
// meanwhile: only its name tells which image it left.
func (r *buildRun) command(ctx context.Context, image config.Image, by string, output io.Writer) (engine.Image, error) {
	var found engine.Image
	err := r.lock.file.InTurn(ctx, reference(image), func() error {
		err := engine.Run(ctx, r.client.runner, image.Build.Command, image.Build.Dir, output)
		if err != nil {
			return err
		}
		if found, err = engine.Find(ctx, r.client.runner, by, reference(image)); err != nil {
			return (&Error{Code: CodeBuild, Image: image.Name}).says("its build command succeeded, but left no image: %w", err)
		}
		// Where docker keeps indexes, each build makes another one of the same image.
		found.TryToIdentify(ctx, r.client.runner)
		return context.Cause(ctx)
	})
	return found, err
}

// checkCommand says where a command left an image that this suite, or one beside it,
// built from other files. That can be right: not all files of a context are in an image.
func (r *buildRun) checkCommand(image config.Image, found engine.Image, tree *lock.Tree) {
	if tree == nil {
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
