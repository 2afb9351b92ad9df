package e2eimage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/buildtree"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
)

// inputs are what a build depends on.
func (c *Client) inputs(ctx context.Context, image config.Image, spec engine.BuildSpec) buildtree.Inputs {
	if len(image.Build.Command) > 0 {
		return buildtree.Inputs{Tree: treeOf(image, &lock.Tree{})}
	}
	in := buildtree.InputsOf(buildtree.Build{
		Engine: spec.Engine, Context: spec.Context, File: spec.File, Target: spec.Target, Platform: spec.Platform,
		Args: spec.Args, Flags: spec.Flags,
	})
	in.Tree.Legacy = in.Tree.DependsOnBuilder() && !engine.OnlyBuildKit(ctx, c.runner, spec.Engine)
	return in
}

// treeOf is the files that were noted, where the image's context is by now.
func treeOf(image config.Image, noted *lock.Tree) buildtree.Tree {
	at := func(paths ...string) []string {
		var full []string
		for _, path := range paths {
			full = append(full, filepath.Join(image.Build.Context, path))
		}
		return full
	}
	tree := buildtree.Tree{
		Engine: noted.Engine, Legacy: noted.Legacy, Context: image.Build.Context,
		Dockerfiles: at(noted.Dockerfiles...), Also: at(noted.Also...),
	}
	if noted.IgnoreFile != "" {
		tree.IgnoreFile = at(noted.IgnoreFile)[0]
	}
	if len(noted.Dockerfiles) == 0 && image.Build.File != "" {
		tree.Dockerfiles = []string{image.Build.File}
	}
	return tree
}

// tree notes what is about to be built, before it is, so that a change during the
// build shows. A tree that cannot be read whole is no reason not to build.
func (r *buildRun) tree(ctx context.Context, image config.Image, spec engine.BuildSpec,
	in buildtree.Inputs,
) *lock.Tree {
	if r.in.Suite.Freshness == config.FreshnessOff {
		return nil
	}
	noted, err := r.note(ctx, image, spec, in)
	if err != nil {
		if ctx.Err() == nil {
			r.client.report.Warn(fmt.Sprintf("%s: later changes in its build context will not be noticed: %v", image.Name, err))
		}
		return nil
	}
	return noted
}

func (r *buildRun) note(ctx context.Context, image config.Image, spec engine.BuildSpec,
	in buildtree.Inputs,
) (*lock.Tree, error) {
	salt, err := config.NewRandom()
	noted := &lock.Tree{Salt: salt, Engine: in.Tree.Engine, Legacy: in.Tree.Legacy}
	if err == nil {
		noted.Settings, err = settings(spec, image, salt)
	}
	if err == nil {
		noted.Metadata, err = in.Tree.Metadata(ctx)
	}
	if err == nil {
		noted.Content, err = in.Tree.Content(ctx)
	}
	if err == nil {
		noted.Bases, err = r.client.baseIDs(ctx, spec.Engine, in.Bases)
	}
	relative := func(path string) string {
		name, relErr := filepath.Rel(image.Build.Context, path)
		if err == nil {
			err = relErr
		}
		return name
	}
	for _, path := range in.Tree.Dockerfiles {
		noted.Dockerfiles = append(noted.Dockerfiles, relative(path))
	}
	for _, path := range in.Tree.Also {
		noted.Also = append(noted.Also, relative(path))
	}
	if in.Tree.IgnoreFile != "" {
		noted.IgnoreFile = relative(in.Tree.IgnoreFile)
	}
	return noted, err
}

// stayed tells whether what was noted is still so after the build, and notes which base
// images came with it. Where it is not, nobody knows what the engine has read, and the
// next up builds again.
func (r *buildRun) stayed(ctx context.Context, image config.Image, in buildtree.Inputs, noted *lock.Tree) bool {
	after, err := in.Tree.Metadata(ctx)
	bases := map[string]string{}
	if err == nil {
		bases, err = r.client.baseIDs(ctx, noted.Engine, in.Bases)
	}
	maps.DeleteFunc(noted.Bases, func(_, id string) bool { return id == "" })
	replaced := firstChanged(noted.Bases, bases)
	switch {
	case ctx.Err() != nil:
		return true
	case err != nil:
		r.client.report.Warn(fmt.Sprintf("%s: later changes in its build context will not be noticed: %v", image.Name, err))
	case after != noted.Metadata:
		r.client.report.Warn(fmt.Sprintf("%s: files in %s changed during the build, so the image may mix old and new "+
			"content; build it again", image.Name, image.Build.Context))
	case replaced != "":
		r.client.report.Warn(fmt.Sprintf("%s: its base image %s was replaced during the build; build it again", image.Name,
			replaced))
	default:
		noted.Bases = bases
		return true
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

// changed tells whether a tree is not what was noted. One whose files were only touched
// is.
func changed(ctx context.Context, tree buildtree.Tree, noted *lock.Tree) (bool, error) {
	metadata, err := tree.Metadata(ctx)
	if err != nil || metadata == noted.Metadata {
		return false, err
	}
	content, err := tree.Content(ctx)
	return err == nil && content != noted.Content, err
}

// changedSince says what an image was built from and is another by now, "" for nothing.
func (c *Client) changedSince(ctx context.Context, image config.Image, entry *lock.Entry,
	lock *locks,
) (string, error) {
	noted, tree := entry.Tree, treeOf(image, entry.Tree)
	is, err := changed(ctx, tree, noted)
	switch {
	case err != nil:
		return "", err
	case is:
		return changedFiles(ctx, tree, entry.Built), nil
	}
	if !lock.local {
		return "", nil
	}
	base, err := c.newBase(ctx, noted)
	if base == "" {
		return "", err
	}
	return "its base image " + base, err
}
