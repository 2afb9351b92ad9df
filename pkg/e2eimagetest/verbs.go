package e2eimagetest

import (
	"context"
	"errors"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/manifest"
)

// Up implements e2eimage.Verbs.
func (f *Fake) Up(ctx context.Context, options ...e2eimage.Option) (*e2eimage.Images, error) {
	chosen, images, err := f.begin(ctx, e2eimage.VerbUp, options)
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if dry(chosen) {
		return f.refs(recordedOf(images)), nil
	}
	for _, one := range images {
		if !chosen.SkipBuild || one.built == 0 {
			one.built = one.source
		}
		f.draw(one, one.built, false)
		one.loaded, one.recorded, one.deployed = one.built, one.built, one.built
	}
	return f.refs(images), nil
}

// Build implements e2eimage.Verbs.
func (f *Fake) Build(ctx context.Context, options ...e2eimage.Option) (*e2eimage.BuildResult, error) {
	chosen, images, err := f.begin(ctx, e2eimage.VerbBuild, options)
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	result := &e2eimage.BuildResult{}
	for _, one := range images {
		built := e2eimage.BuiltImage{
			Name: one.name, Consumer: f.consumer, ImageID: one.id(one.source), Engine: "fake", Changed: one.built != one.source,
		}
		if !dry(chosen) {
			f.draw(one, one.source, chosen.NewTag)
			one.built, built.Image = one.source, one.recordedImage()
		}
		result.Images = append(result.Images, built)
	}
	return result, nil
}

// Load implements e2eimage.Verbs.
func (f *Fake) Load(ctx context.Context, options ...e2eimage.Option) (*e2eimage.LoadResult, error) {
	chosen, images, err := f.begin(ctx, e2eimage.VerbLoad, options)
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	result := &e2eimage.LoadResult{}
	for _, one := range images {
		content := one.built
		if content == 0 {
			content = one.source
		}
		if !dry(chosen) {
			one.loaded = content
		}
		result.Images = append(result.Images, e2eimage.LoadedImage{
			Name: one.name, Image: one.sourceName(), Names: []string{one.sourceName()}, ImageID: one.id(content),
			Source: one.sourceName(), Nodes: []e2eimage.LoadedNode{{Node: "fake-control-plane"}},
		})
	}
	return result, nil
}

// Tag implements e2eimage.Verbs.
func (f *Fake) Tag(ctx context.Context, options ...e2eimage.Option) (*e2eimage.Images, error) {
	chosen, images, err := f.begin(ctx, e2eimage.VerbTag, options)
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	var mistakes []error
	for _, one := range images {
		switch {
		case one.loaded == 0:
			mistakes = append(mistakes, notLoaded(one))
		case one.loaded < one.source && !chosen.AllowStale:
			mistakes = append(mistakes, stale(one))
		}
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	if dry(chosen) {
		return f.refs(recordedOf(images)), nil
	}
	for _, one := range images {
		f.draw(one, one.loaded, chosen.NewTag)
		one.recorded = one.loaded
	}
	return f.refs(images), nil
}

// Deploy implements e2eimage.Verbs.
func (f *Fake) Deploy(ctx context.Context, options ...e2eimage.Option) (*e2eimage.DeployResult, error) {
	chosen, images, err := f.begin(ctx, e2eimage.VerbDeploy, options)
	defer f.mu.Unlock()
	if err == nil {
		err = recordedAll(images)
	}
	if err != nil {
		return nil, err
	}
	var mistakes []error
	for _, one := range images {
		if one.recorded < one.source && !chosen.AllowStale {
			mistakes = append(mistakes, stale(one))
		}
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	result := &e2eimage.DeployResult{Consumer: f.consumer, Namespace: "default"}
	for _, one := range images {
		action := "image updated"
		if one.deployed == one.recorded {
			action = "unchanged"
		}
		if !dry(chosen) {
			one.deployed = one.recorded
		}
		result.Workloads = append(result.Workloads, e2eimage.DeployedWorkload{
			Name: "deployment.apps/" + one.name, Namespace: "default", Action: action, Generation: int64(one.deployed),
		})
	}
	return result, nil
}

// Images implements e2eimage.Verbs.
func (f *Fake) Images(ctx context.Context, options ...e2eimage.Option) (*e2eimage.Images, error) {
	_, images, err := f.begin(ctx, e2eimage.VerbImages, options)
	defer f.mu.Unlock()
	if err == nil {
		err = recordedAll(images)
	}
	if err != nil {
		return nil, err
	}
	return f.refs(images), nil
}

// Render implements e2eimage.Verbs. It reads no files: only Manifests are rendered.
func (f *Fake) Render(ctx context.Context, options ...e2eimage.Option) ([]e2eimage.Manifest, error) {
	chosen, images, err := f.begin(ctx, e2eimage.VerbRender, options)
	defer f.mu.Unlock()
	if err == nil {
		err = recordedAll(images)
	}
	if err != nil {
		return nil, err
	}
	var into manifest.Options
	for _, one := range images {
		into.Images = append(into.Images, manifest.Image{
			Name: one.name, Image: one.recordedImage(), ImageID: one.id(one.recorded), Aliases: []string{one.sourceName()},
		})
	}
	var rendered []e2eimage.Manifest
	for _, given := range chosen.Manifests {
		text, err := manifest.Render(given.Text, given.Name, into)
		if err != nil {
			return nil, &e2eimage.Error{Code: e2eimage.CodeManifest, Err: err}
		}
		rendered = append(rendered, e2eimage.Manifest{Name: given.Name, Text: text})
	}
	return rendered, nil
}

// Status implements e2eimage.Verbs.
func (f *Fake) Status(ctx context.Context, options ...e2eimage.Option) (*e2eimage.StatusResult, error) {
	_, images, err := f.begin(ctx, e2eimage.VerbStatus, options)
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return f.statusOf(images), nil
}

func (f *Fake) statusOf(images []*image) *e2eimage.StatusResult {
	result := &e2eimage.StatusResult{Namespace: "default"}
	for _, one := range recordedOf(images) {
		result.Images = append(result.Images, f.state(one))
	}
	return result
}

// Verify implements e2eimage.Verbs.
func (f *Fake) Verify(ctx context.Context, options ...e2eimage.Option) (*e2eimage.StatusResult, error) {
	_, images, err := f.begin(ctx, e2eimage.VerbVerify, options)
	defer f.mu.Unlock()
	if err == nil {
		err = recordedAll(images)
	}
	if err != nil {
		return nil, err
	}
	result := f.statusOf(images)
	return result, disagreement(result.Images)
}

// Diagnose implements e2eimage.Verbs. It writes nothing.
func (f *Fake) Diagnose(ctx context.Context, _ error, options ...e2eimage.Option) (*e2eimage.DiagnoseResult, error) {
	chosen, _, err := f.begin(context.WithoutCancel(ctx), e2eimage.VerbDiagnose, options)
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return &e2eimage.DiagnoseResult{Dir: chosen.Diagnostics + "/" + f.consumer}, nil
}

// Down implements e2eimage.Verbs.
func (f *Fake) Down(ctx context.Context, options ...e2eimage.Option) error {
	chosen, images, err := f.begin(ctx, e2eimage.VerbDown, options)
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	inUse := &e2eimage.InUseError{}
	for _, one := range images {
		if chosen.RemoveWorkloads {
			one.deployed = 0
		}
		if one.deployed > 0 && !chosen.Force {
			inUse.Left = append(inUse.Left, e2eimage.TagInUse{
				Image: one.recordedImage(), Workload: "deployment.apps/" + one.name, Namespace: "default",
			})
			continue
		}
		one.built, one.loaded, one.recorded, one.tagged = 0, 0, 0, 0
	}
	if len(inUse.Left) > 0 {
		return &e2eimage.InconsistentError{Err: inUse}
	}
	return nil
}

func dry(chosen e2eimage.Choices) bool {
	return chosen.DryRun != "" && chosen.DryRun != e2eimage.DryRunNone
}

func recordedOf(images []*image) []*image {
	var recorded []*image
	for _, one := range images {
		if one.recorded > 0 {
			recorded = append(recorded, one)
		}
	}
	return recorded
}
