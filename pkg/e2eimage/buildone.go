package e2eimage

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/outlive"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// one builds or adopts one image.
func (r *buildRun) one(ctx context.Context, image config.Image) (*BuiltImage, error) {
	values, err := r.values(image)
	if err != nil {
		return nil, err
	}
	target, err := r.newImage(image, values)
	if err != nil {
		return nil, err
	}
	adopted, err := r.adopt(ctx, image)
	if err != nil {
		return nil, err
	}
	if adopted != nil {
		result, err := r.write(ctx, image, target, *adopted, nil)
		if err == nil && !r.in.DryRun {
			r.client.report.Info(result.summary())
		}
		return result, err
	}
	if image.Build == nil {
		return nil, (&Error{Code: CodeSource, Image: image.Name}).says("its prebuilt image %s is not there, and it has no "+
			"build", image.Prebuilt)
	}
	prepared, err := r.prepare(ctx, image, target, values)
	if err != nil {
		return nil, err
	}
	if r.in.DryRun && !r.order.changes(image.Name) && r.unchanged(ctx, image) {
		entry := r.lock.entry(image, r.in.Suite.Prebuilt)
		return &BuiltImage{
			Name: image.Name, Consumer: r.consumer, Image: entry.Image, ImageID: entry.ImageID,
			Engine: entry.Engine, EngineID: entry.EngineID, Platform: entry.Platform,
		}, nil
	}
	if r.in.DryRun {
		r.client.report.Info(fmt.Sprintf("%s: would run %s", image.Name, prepared.line(image)))
		return &BuiltImage{Name: image.Name, Consumer: r.consumer, Planned: planned(target), Changed: true}, nil
	}
	building := r.client.report.Start(progress.Step{Doing: "Building " + image.Name})
	result, err := r.makeOne(ctx, image, prepared)
	if err == nil {
		building.Result(result.summary())
	}
	building.End(err)
	return result, err
}

// makeOne builds an image and writes it down.
func (r *buildRun) makeOne(ctx context.Context, image config.Image,
	prepared preparedBuild,
) (result *BuiltImage, err error) {
	inputs := r.client.inputs(ctx, image, prepared.spec)
	tree := r.tree(ctx, image, prepared.spec, inputs)
	prepared.spec = r.withoutOwn(ctx, image, prepared.spec, inputs)
	if prepared.command != nil {
		prepared.before = r.whoHas(ctx, prepared)
		defer func() {
			if err != nil || result.Image != prepared.target {
				r.restoreName(ctx, prepared)
			}
		}()
	}
	found, err := r.build(ctx, image, prepared)
	if err != nil {
		return nil, err
	}
	if prepared.command != nil {
		r.checkCommand(image, found, tree)
	}
	if tree != nil && !r.stayed(ctx, image, inputs, tree) {
		tree = nil
	}
	now := record.Now()
	made := lock.Entry{
		Via: lock.ViaBuild, Engine: found.Engine, EngineID: found.EngineID, ImageID: found.ImageID,
		Source: image.Source, Platform: found.Platform, By: r.client.by(), Commit: r.in.Values.GitCommit, Tree: tree,
		Built: &now,
	}
	result, err = r.write(ctx, image, prepared.target, made, &found)
	if found.IsTemporary() {
		// By now it has names of its own; where it has none, it goes.
		removing, cancel := outlive.WithGracePeriod(ctx, undoLimit)
		defer cancel()
		if failed := found.Remove(removing, r.client.runner); failed != nil {
			r.client.report.Warn(fmt.Sprintf("%s stays in %s: %v", found.Reference, found.Engine, failed))
		}
	}
	return result, err
}

// values are what the image's templates can use. Random is the same in all of them.
func (r *buildRun) values(image config.Image) (config.TemplateValues, error) {
	values := r.in.Values
	values.Consumer, values.Name = r.consumer, image.Name
	var err error
	if values.Random == "" {
		values.Random, err = config.NewRandom()
	}
	return values, err
}

// newImage is the recorded image that a new content gets.
func (r *buildRun) newImage(image config.Image, values config.TemplateValues) (string, error) {
	tag := cmp.Or(image.Tag, r.groupTag)
	if tag == "" {
		var err error
		if tag, err = drawTag(image, r.consumer, values); err != nil {
			return "", err
		}
	}
	target, err := ociimage.Join(cmp.Or(image.Repository, config.DefaultRepository(image.Name)), tag)
	if err != nil {
		return "", &UsageError{err}
	}
	return target, nil
}

// drawTag draws a tag from the image's template.
func drawTag(image config.Image, consumer string, values config.TemplateValues) (string, error) {
	values.Consumer, values.Name = consumer, image.Name
	if values.Random == "" {
		random, err := config.NewRandom()
		if err != nil {
			return "", err
		}
		values.Random = random
	}
	tag, err := config.DrawTag(image.TagTemplate, values)
	if err != nil {
		return "", &UsageError{fmt.Errorf("%s: %w", image.Name, err)}
	}
	return tag, nil
}

// build runs the engine, or the user's command.
func (r *buildRun) build(ctx context.Context, image config.Image, prepared preparedBuild) (engine.Image, error) {
	output := &outputLines{report: r.client.report, masker: foreign.NewMasker(prepared.secrets...)}
	if r.several {
		output.of = image.Name
	}
	var found engine.Image
	var err error
	if prepared.command == nil {
		prepared.spec.Output = output
		found, err = engine.Build(ctx, r.client.runner, prepared.spec)
	} else {
		found, err = r.command(ctx, image, prepared, output)
	}
	output.flush()
	var failed *engine.BuildError
	switch {
	case !errors.As(err, &failed):
	case output.shown:
		// Once is enough.
		failed.Said = ""
	default:
		failed.Said = lastSaid(failed.Said, prepared.secrets)
	}
	return found, err
}
