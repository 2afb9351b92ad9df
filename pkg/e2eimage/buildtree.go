package e2eimage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/buildtree"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

func treeOf(image config.Image) buildtree.Tree {
	return buildtree.Tree{Context: image.Build.Context, File: image.Build.File}
}

// tree notes what is about to be built, before it is, so that a change during the
// build shows. A tree that cannot be read whole is no reason not to build.
func (r *buildRun) tree(ctx context.Context, image config.Image, spec engine.BuildSpec) *record.Tree {
	if folder := filepath.Dir(r.lock.file.Path()); treeOf(image).Sends(folder) && len(image.Build.Command) == 0 {
		r.client.report.Warn(fmt.Sprintf("%s: the lock's folder %s is a part of its build context; write %s into .dockerignore, or a Dockerfile that copies all makes another image each time",
			image.Name, folder, filepath.Base(folder)))
	}
	if r.in.Suite.Freshness == config.FreshnessOff {
		return nil
	}
	salt, err := config.NewRandom()
	noted := &record.Tree{Salt: salt}
	if err == nil {
		noted.Settings, err = settings(spec, image, salt)
	}
	if err == nil {
		noted.Metadata, err = treeOf(image).Metadata(ctx)
	}
	if err == nil {
		noted.Content, err = treeOf(image).Content(ctx)
	}
	if err != nil {
		if ctx.Err() == nil {
			r.client.report.Warn(fmt.Sprintf("%s: later changes of what it is built from will not be seen: %v", image.Name, err))
		}
		return nil
	}
	return noted
}

// stayed tells whether the tree is still what it was before the build. Where it is not,
// nobody knows what the engine has read, and the next up builds again.
func (r *buildRun) stayed(ctx context.Context, image config.Image, before *record.Tree) bool {
	after, err := treeOf(image).Metadata(ctx)
	switch {
	case ctx.Err() != nil, err == nil && after == before.Metadata:
		return true
	case err == nil:
		r.client.report.Warn(fmt.Sprintf("%s: files in %s changed while it was built: it may have some of before and some of after; build it again", image.Name, image.Build.Context))
	default:
		r.client.report.Warn(fmt.Sprintf("%s: later changes of what it is built from will not be seen: %v", image.Name, err))
	}
	return false
}

// settings is a digest of how the image is built. It is salted, since arguments may
// be secrets.
func settings(spec engine.BuildSpec, image config.Image, salt string) (string, error) {
	spec.Output = nil
	text, err := json.Marshal([]any{salt, spec, image.Build.Command})
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:]), err
}

// changed tells whether a tree is not what the image was built from. One whose
// files were only touched is.
func changed(ctx context.Context, image config.Image, noted *record.Tree) (bool, error) {
	metadata, err := treeOf(image).Metadata(ctx)
	if err != nil || metadata == noted.Metadata {
		return false, err
	}
	content, err := treeOf(image).Content(ctx)
	return err == nil && content != noted.Content, err
}
