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
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/outlive"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// one builds or adopts one image.
func (r *buildRun) one(ctx context.Context, image config.Image) (*BuiltImage, error) {
	target, err := r.target(image)
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
		return nil, fmt.Errorf("its prebuilt image %s is not there, and it has no build", image.Prebuilt)
	}
	spec, secrets, err := r.spec(ctx, image)
	if err != nil {
		return nil, err
	}
	if r.in.DryRun && !r.order.changes(image.Name) && r.unchanged(ctx, image) {
		entry := r.lock.entry(image, r.in.Suite.Prebuilt)
		return &BuiltImage{Name: image.Name, Consumer: r.consumer, Image: entry.Image, ImageID: entry.ImageID, Engine: entry.Engine, EngineID: entry.EngineID, Platform: entry.Platform}, nil
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
func (r *buildRun) makeOne(ctx context.Context, image config.Image, target string, spec engine.BuildSpec, secrets []string) (*BuiltImage, error) {
	inputs := r.client.inputs(ctx, image, spec)
	tree := r.tree(ctx, image, spec, inputs)
	found, err := r.build(ctx, image, r.withoutOwn(ctx, image, spec, inputs.Tree), secrets)
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
	made := record.Locked{
		Via: record.ViaBuild, Engine: found.Engine, EngineID: found.EngineID, ImageID: found.ImageID,
		Source: image.Source, Platform: found.Platform, By: r.client.by(), Commit: r.in.Values.GitCommit, Tree: tree, Built: &now,
	}
	result, err := r.write(ctx, image, target, made, &found)
	if found.IsTemporary() {
		// By now it has names of its own; where it has none, it goes.
		removing, cancel := outlive.Context(ctx, undoLimit)
		defer cancel()
		if failed := found.Remove(removing, r.client.runner); failed != nil {
			r.client.report.Warn(fmt.Sprintf("%s stays in %s: %v", found.Reference, found.Engine, failed))
		}
	}
	return result, err
}

// target is the recorded image that a new content gets.
func (r *buildRun) target(image config.Image) (string, error) {
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
			return spec, nil, &UsageError{errors.New("its build is a command, which has to leave the image under the name in source: write that into e2eimage.yaml")}
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
	spec.Flags = append(slices.Clone(b.Flags[spec.Engine]), r.in.Flags...)
	if spec.Engine == "podman" && slices.ContainsFunc(spec.Flags, func(flag string) bool { return strings.HasPrefix(flag, "--iidfile") }) {
		return spec, nil, &UsageError{errors.New("podman writes one --iidfile only, which the build needs itself; the ID is in what build -o json prints")}
	}
	return spec, secrets, nil
}

// build runs the engine, or the user's command.
func (r *buildRun) build(ctx context.Context, image config.Image, spec engine.BuildSpec, secrets []string) (engine.Image, error) {
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

// write pins what was made in the lock, then gives the host's copy its recorded name, so
// that no prune takes it: a run that is killed leaves no name that no lock knows.
func (r *buildRun) write(ctx context.Context, image config.Image, target string, made record.Locked, found *engine.Image) (*BuiltImage, error) {
	made.Image = target
	result := &BuiltImage{Name: image.Name, Consumer: r.consumer, Changed: true}
	if r.in.DryRun {
		return r.planAdoption(image, made), nil
	}
	var before, entry *record.Locked
	err := r.inTurn(ctx, image, func() error {
		err := r.lock.update(ctx, func(lock *record.Lock) error {
			if err := r.share(lock, &made); err != nil {
				return err
			}
			before = lock.Images[image.Name]
			entry = lock.Put(image.Name, made, r.in.New || r.groupTag != "" || image.Tag != "" || before != nil && !underRepository(image, before.Image))
			return nil
		})
		if err != nil {
			return err
		}
		if err := r.name(ctx, image, entry.Image, found); err != nil {
			return errors.Join(err, r.takeBack(ctx, image.Name, entry, before))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	result.Changed = before == nil || !before.Same(entry) || before.Image != entry.Image
	result.Image, result.ImageID, result.Engine, result.EngineID, result.Platform = entry.Image, entry.ImageID, entry.Engine, entry.EngineID, entry.Platform
	if entry.Via == record.ViaPrebuilt {
		result.Prebuilt = entry.Source
	}
	if err := r.dropBefore(ctx, image.Name, entry, before); err != nil {
		return nil, err
	}
	return result, nil
}

// planAdoption is what a dry run answers.
func (r *buildRun) planAdoption(image config.Image, made record.Locked) *BuiltImage {
	one := &BuiltImage{Name: image.Name, Consumer: r.consumer, ImageID: made.ImageID, Prebuilt: made.Source}
	before := r.lock.current().Images[image.Name]
	if before != nil && before.Same(&made) && !r.in.New && image.Tag == "" && underRepository(image, before.Image) {
		one.Image = before.Image
		return one
	}
	r.client.report.Info(fmt.Sprintf("%s: would adopt %s", image.Name, made.Source))
	one.Planned, one.Changed = planned(made.Image), true
	return one
}

// summary is what a build is worth saying.
func (b *BuiltImage) summary() string {
	switch {
	case b.Prebuilt != "" && !b.Changed:
		return fmt.Sprintf("Nothing to adopt: %s is %s already", b.Prebuilt, b.Image)
	case b.Prebuilt != "":
		return fmt.Sprintf("Adopted %s as %s", b.Prebuilt, b.Image)
	case !b.Changed:
		return fmt.Sprintf("Built %s again with the same result: %s", b.Name, b.Image)
	}
	return fmt.Sprintf("Built %s: %s", b.Name, b.Image)
}

// inTurn does something while no command of a suite beside this one builds the source's
// name: only that name tells which image a command left.
func (r *buildRun) inTurn(ctx context.Context, image config.Image, do func() error) error {
	if reference(image) == "" || r.in.Suite.Lock != "" {
		return do()
	}
	return r.lock.file.InTurn(ctx, reference(image), do)
}

// takeBack puts the lock's entry of before back, unless another build took its place.
func (r *buildRun) takeBack(ctx context.Context, name string, entry, before *record.Locked) error {
	undoing, cancel := outlive.Context(ctx, undoLimit)
	defer cancel()
	return r.lock.update(undoing, func(lock *record.Lock) error {
		switch now := lock.Images[name]; {
		case now == nil || now.Image != entry.Image || !now.Same(entry):
		case before == nil:
			delete(lock.Images, name)
		default:
			lock.Images[name] = before
		}
		return nil
	})
}

// dropBefore takes the names of before off the host that are too many, and then forgets
// them.
func (r *buildRun) dropBefore(ctx context.Context, name string, entry, before *record.Locked) error {
	if beyond := entry.Beyond(r.in.Suite.KeepPrevious); len(beyond) > 0 {
		dropped := r.client.dropFromHost(ctx, r.lock, beyond)
		err := r.lock.update(ctx, func(lock *record.Lock) error {
			if now := lock.Images[name]; now != nil {
				now.Dropped(dropped)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if before != nil && before.Ours() && before.EngineID != entry.EngineID {
		r.client.dropUnnamed(ctx, *before)
	}
	return nil
}

// share lets a build of a tagGroup have the tag that another one, which was built
// side by side, decided meanwhile.
func (r *buildRun) share(lock *record.Lock, made *record.Locked) error {
	if r.groupTag == "" || r.in.New {
		return nil
	}
	shared, err := groupTag(r.in.Suite, r.consumer, r.in.Values, false, func() []string { return append(imagesOf(lock), made.Image) })
	if err == nil {
		made.Image, err = ociimage.Join(ociimage.Repository(made.Image), shared)
	}
	return err
}

// name gives a built image its recorded name, then its source's: whoever finds it
// under the latter sees that it is recorded.
func (r *buildRun) name(ctx context.Context, image config.Image, recorded string, found *engine.Image) error {
	if found == nil {
		return nil
	}
	names := []string{recorded}
	if source := reference(image); source != "" && len(image.Build.Command) == 0 {
		names = append(names, source)
	}
	// Both or none, whatever ends the run.
	naming, cancel := outlive.Context(ctx, undoLimit)
	defer cancel()
	for i, name := range names {
		err := found.Name(naming, r.client.runner, name)
		if err == nil {
			continue
		}
		if i > 0 {
			_, undone := r.client.nameOffHost(naming, record.Superseded{Image: recorded, Engine: found.Engine, EngineID: found.EngineID}, false)
			err = errors.Join(err, undone)
		}
		return fmt.Errorf("it was built, but could not be named %s: %w", name, err)
	}
	return nil
}

// reference is the source as the name that an engine has it under, "" where it is
// something else.
func reference(image config.Image) string {
	source, err := config.ParseSource(image.Source)
	if err != nil || source.Kind != config.SourceReference {
		return ""
	}
	return source.Value
}

// underRepository tells whether a recorded image is where the suite wants it.
func underRepository(image config.Image, recorded string) bool {
	return image.Repository == "" || recorded == "" || ociimage.Repository(recorded) == image.Repository
}

// dropUnnamed removes what a build of before left when all its names have moved on.
func (c *Client) dropUnnamed(ctx context.Context, before record.Locked) {
	found, err := engine.Find(ctx, c.runner, before.Engine, before.EngineID)
	if err == nil && len(found.Names) == 0 {
		err = found.Remove(ctx, c.runner)
	}
	if err != nil && !engine.IsGone(err) {
		c.report.Warn(fmt.Sprintf("%s stays in %s without a name: %v", ociimage.ShortID(before.EngineID), before.Engine, err))
	}
}

// dropFromHost takes names of the product's own off the host's engines. It returns those
// that are no concern any more; the others are tried again.
func (c *Client) dropFromHost(ctx context.Context, lock *locks, images []record.Superseded) []record.Superseded {
	var stay []record.Superseded
	for _, image := range lock.givenHere(images) {
		if _, err := c.nameOffHost(ctx, image, false); err != nil {
			c.report.Warn(fmt.Sprintf("%s stays in %s: %v", image.Image, image.Engine, err))
			stay = append(stay, image)
		}
	}
	return slices.DeleteFunc(slices.Clone(images), func(s record.Superseded) bool { return slices.Contains(stay, s) })
}
