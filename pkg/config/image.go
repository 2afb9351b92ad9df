package config

import (
	"cmp"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"time"
)

// image resolves one image for a consumer; flags win over what is written.
func (r *resolver) image(written fileImage, consumer string) Image {
	if source, loose := r.loose[written.Name]; loose {
		return Image{
			Name: written.Name, Source: absoluteSource(r.dir, source), TagTemplate: DefaultTagTemplate,
			Deploy: r.deploy(written), Loose: true,
		}
	}
	image := Image{
		Name: written.Name, External: written.External, Tag: r.flags.Tag,
		TagTemplate: cmp.Or(r.flags.TagTemplate, r.fileTag(), DefaultTagTemplate),
		Deploy:      r.deploy(written),
	}
	fill := &filling{
		resolver: r, image: &image,
		values: HelmValues{TemplateValues: TemplateValues{
			Name: written.Name, Consumer: consumer, Arch: runtime.GOARCH, Environment: r.environment,
		}},
	}
	if image.Source = absoluteSource(r.dir, r.flags.Source); image.Source == "" {
		image.Source = fill.source(FieldSource, written.Source, checkNamed)
	}
	if image.Repository = r.flags.Repository; image.Repository == "" {
		image.Repository = fill.field(FieldRepository, written.Repository, checkRepository)
	}
	image.Prebuilt = fill.source(FieldPrebuilt, written.Prebuilt, checkSource)
	if b := written.Build; b != nil {
		image.Build = &Build{
			Context: absolute(r.base, cmp.Or(b.Context, ".")), Target: b.Target, Platform: b.Platform, Dir: r.base,
			NoCache: b.NoCache, Flags: b.Flags, Command: b.Command, Args: maps.Clone(b.Args),
		}
		if b.File != "" {
			image.Build.File = absolute(r.base, b.File)
		}
	}
	return image
}

func (r *resolver) fileTag() string {
	if r.doc == nil {
		return ""
	}
	return r.doc.file.Tag
}

// filling fills templates of one image in.
type filling struct {
	*resolver
	image  *Image
	values HelmValues
}

func (f *filling) source(field Field, text string, check func(string) error) string {
	filled := f.field(field, text, check)
	if _, failed := f.image.Unfilled[field]; failed {
		return filled
	}
	return absoluteSource(f.base, filled)
}

// field returns what is written, filled in if it is a template. Failing to is a
// mistake only for verbs that use the field; check says what is wrong with the
// outcome.
func (f *filling) field(field Field, text string, check func(string) error) string {
	if !isTemplate(text) {
		return text
	}
	value, err := render(text, sourceFields(), f.values)
	if err == nil {
		if wrong := check(value); wrong != nil {
			err = fmt.Errorf("template %s gives a value that is not valid: %w", quote(text), wrong)
		}
	}
	if err == nil {
		return value
	}
	if f.image.Unfilled == nil {
		f.image.Unfilled = map[Field]Problem{}
	}
	i := slices.IndexFunc(f.doc.file.Images, func(image fileImage) bool { return image.Name == f.image.Name })
	at := f.doc.at(fmt.Sprintf("images[%d].%s", i, field))
	f.image.Unfilled[field] = Problem{Where: at.text, What: err.Error()}
	return text
}

// deploy puts flags, config and defaults together.
func (r *resolver) deploy(written fileImage) Deploy {
	deploy := Deploy{
		Workloads: []string{"deployment/" + written.Name}, Containers: r.flags.Containers, PullPolicy: r.flags.PullPolicy,
		Timeout: DefaultTimeout, MaxRestarts: DefaultMaxRestarts,
	}
	if said := written.Deploy; said != nil {
		if said.Workloads != nil {
			deploy.Workloads = *said.Workloads
		}
		if len(deploy.Containers) == 0 {
			deploy.Containers = said.Containers
		}
		deploy.PullPolicy = cmp.Or(deploy.PullPolicy, said.PullPolicy)
		if said.Timeout != nil {
			deploy.Timeout = time.Duration(*said.Timeout)
		}
		if said.MaxRestarts != nil {
			deploy.MaxRestarts = *said.MaxRestarts
		}
	}
	if len(r.flags.Workloads) > 0 {
		deploy.Workloads = r.flags.Workloads
	}
	if r.flags.Timeout != nil {
		deploy.Timeout = *r.flags.Timeout
	}
	if r.flags.MaxRestarts != nil {
		deploy.MaxRestarts = *r.flags.MaxRestarts
	}
	return deploy
}
