package e2eimage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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
	target, err := r.newImage(image)
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
	spec, secrets, err := r.spec(ctx, image)
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
		r.client.report.Info(fmt.Sprintf("%s: would run %s", image.Name, commandLine(image, spec)))
		return &BuiltImage{Name: image.Name, Consumer: r.consumer, Planned: planned(target), Changed: true}, nil
	}
	building := r.client.report.Start(progress.Step{Doing: "Building " + image.Name})
	result, err := r.makeOne(ctx, image, target, spec, secrets)
	if err == nil {
		building.Result(result.summary())
	}
	building.End(err)
	return result, err
}

// makeOne builds an image and writes it down.
func (r *buildRun) makeOne(ctx context.Context, image config.Image, target string, spec engine.BuildSpec,
	secrets []string,
) (*BuiltImage, error) {
	inputs := r.client.inputs(ctx, image, spec)
	tree := r.tree(ctx, image, spec, inputs)
	found, err := r.build(ctx, image, r.withoutOwn(ctx, image, spec, inputs), secrets)
	if err != nil {
		return nil, err
	}
	if len(image.Build.Command) > 0 {
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
	result, err := r.write(ctx, image, target, made, &found)
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

// newImage is the recorded image that a new content gets.
func (r *buildRun) newImage(image config.Image) (string, error) {
	repository := image.Repository
	if repository == "" {
		repository = config.DefaultRepository(image.Name)
	}
	tag := cmp.Or(image.Tag, r.groupTag)
	if tag == "" {
		var err error
		if tag, err = drawTag(image, r.consumer, r.in.Values); err != nil {
			return "", err
		}
	}
	target, err := ociimage.Join(repository, tag)
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

// spec is the build as its engine has to carry it out, with what of it is secret.
func (r *buildRun) spec(ctx context.Context, image config.Image) (spec engine.BuildSpec, secrets []string, err error) {
	b := image.Build
	values := r.in.Values
	values.Consumer, values.Name = r.consumer, image.Name
	values.Environment = listening(values.Environment, &secrets)
	args, err := b.RenderArgs(values)
	if err != nil {
		return spec, nil, &UsageError{err}
	}
	spec = engine.BuildSpec{
		Context: b.Context, File: b.File, Target: b.Target, Platform: b.Platform, Args: args, NoCache: b.NoCache,
	}
	if len(b.Command) > 0 {
		if reference(image) == "" {
			return spec, nil, &UsageError{
				errors.New("a build command has to leave the image under the name in source; write source into e2eimage.yaml"),
			}
		}
		if len(r.in.Flags) > 0 {
			return spec, nil, &UsageError{errors.New("its build is a command: flags after -- cannot be passed to it")}
		}
		spec.Engine = r.in.Suite.Engine
		return spec, secrets, nil
	}
	if spec.Engine, err = r.client.chooseEngine(ctx, r.in.Suite); err != nil {
		return spec, nil, err
	}
	if spec.Flags, err = b.RenderFlags(spec.Engine, values); err != nil {
		return spec, nil, &UsageError{err}
	}
	spec.Flags = append(spec.Flags, r.in.Flags...)
	if spec.Engine == "podman" && slices.ContainsFunc(spec.Flags, func(flag string) bool {
		return strings.HasPrefix(flag, "--iidfile")
	}) {
		return spec, nil, &UsageError{
			errors.New("--iidfile cannot be passed on, since the build needs it itself; kubectl e2eimage build -o json " +
				"prints the ID"),
		}
	}
	return spec, secrets, nil
}

// build runs the engine, or the user's command.
func (r *buildRun) build(ctx context.Context, image config.Image, spec engine.BuildSpec,
	secrets []string,
) (engine.Image, error) {
	output := &outputLines{report: r.client.report, masker: foreign.NewMasker(secrets...)}
	if r.several {
		output.of = image.Name
	}
	var found engine.Image
	var err error
	if len(image.Build.Command) == 0 {
		spec.Output = output
		found, err = engine.Build(ctx, r.client.runner, spec)
	} else {
		found, err = r.command(ctx, image, spec.Engine, output)
	}
	output.flush()
	var failed *engine.BuildError
	switch {
	case !errors.As(err, &failed):
	case output.shown:
		// Once is enough.
		failed.Said = ""
	default:
		failed.Said = lastSaid(failed.Said, secrets)
	}
	return found, err
}

func commandLine(image config.Image, spec engine.BuildSpec) string {
	if len(image.Build.Command) > 0 {
		return fmt.Sprintf("%q in %s", image.Build.Command, image.Build.Dir)
	}
	return spec.CommandLine()
}
