package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// preparedBuild is a build with its templates filled in.
type preparedBuild struct {
	// target is the recorded image that new content gets.
	target string
	spec   engine.BuildSpec
	// command is the user's own, which builds instead of an engine; nil where one does.
	command []string
	// env are variables for the command, KEY=VALUE.
	env []string
	// before are the engines that had an image of the target's name before the command, with
	// its ID.
	before map[string]string
	// secrets are values that nobody is to see.
	secrets []string
}

func (r *buildRun) prepare(ctx context.Context, image config.Image, target string,
	values config.TemplateValues,
) (preparedBuild, error) {
	prepared := preparedBuild{target: target}
	values.Environment = listening(values.Environment, &prepared.secrets)
	if len(image.Build.Command) > 0 {
		return prepared, r.prepareCommand(image, &prepared, values)
	}
	var err error
	prepared.spec, err = r.spec(ctx, image, values)
	return prepared, err
}

// prepareCommand tells the user's command which image to make, in its words and in its
// environment.
func (r *buildRun) prepareCommand(image config.Image, prepared *preparedBuild, values config.TemplateValues) error {
	if len(r.in.Flags) > 0 {
		return &UsageError{errors.New("its build is a command: flags after -- cannot be passed to it")}
	}
	prepared.spec = engine.BuildSpec{Engine: r.in.Suite.Engine, Context: image.Build.Context}
	repository := ociimage.Repository(prepared.target)
	tag := strings.TrimPrefix(prepared.target, repository+":")
	prepared.env = []string{
		"E2EIMAGE_NAME=" + image.Name, "E2EIMAGE_IMAGE=" + prepared.target, "E2EIMAGE_REPOSITORY=" + repository,
		"E2EIMAGE_TAG=" + tag,
	}
	var err error
	prepared.command, err = image.Build.RenderCommand(config.HelmValues{
		TemplateValues: values, Image: prepared.target, Repository: repository, Tag: tag,
	})
	if err != nil {
		return &UsageError{err}
	}
	return nil
}

// spec is the build as its engine has to carry it out.
func (r *buildRun) spec(ctx context.Context, image config.Image,
	values config.TemplateValues,
) (engine.BuildSpec, error) {
	b := image.Build
	args, err := b.RenderArgs(values)
	if err != nil {
		return engine.BuildSpec{}, &UsageError{err}
	}
	spec := engine.BuildSpec{
		Context: b.Context, File: b.File, Target: b.Target, Platform: b.Platform, Args: args, NoCache: b.NoCache,
	}
	if spec.Engine, err = r.client.chooseEngine(ctx, r.in.Suite); err != nil {
		return spec, err
	}
	if spec.Flags, err = b.RenderFlags(spec.Engine, values); err != nil {
		return spec, &UsageError{err}
	}
	spec.Flags = append(spec.Flags, r.in.Flags...)
	if spec.Engine == "podman" && slices.ContainsFunc(spec.Flags, func(flag string) bool {
		return strings.HasPrefix(flag, "--iidfile")
	}) {
		return spec, &UsageError{
			errors.New("--iidfile cannot be passed on, since the build needs it itself; kubectl e2eimage build -o json " +
				"prints the ID"),
		}
	}
	return spec, nil
}

// line is what would run, for people.
func (p preparedBuild) line(image config.Image) string {
	if p.command == nil {
		return p.spec.CommandLine()
	}
	return foreign.NewMasker(p.secrets...).Text(planned(fmt.Sprintf("%q in %s", p.command, image.Build.Dir)))
}
