package config

import (
	"cmp"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// suite puts flag, variable, file and default together.
func (r *resolver) suite() Suite {
	written, ok := r.chooseSuite()
	if !ok {
		return Suite{}
	}
	f, file := r.flags, r.doc.file
	suite := Suite{
		Consumer:     cmp.Or(f.Consumer, written.Consumer),
		KindCluster:  cmp.Or(f.KindCluster, written.KindCluster),
		Provider:     f.Provider,
		Registry:     cmp.Or(f.Registry, written.Registry, file.Registry),
		Namespace:    cmp.Or(f.Namespace, written.Namespace),
		TagGroup:     written.TagGroup,
		Engine:       cmp.Or(f.Engine, file.Engine),
		Prebuilt:     cmp.Or(f.Prebuilt, PrebuiltPrefer),
		Freshness:    cmp.Or(file.Freshness, FreshnessWarn),
		KeepPrevious: *cmp.Or(file.KeepPrevious, new(DefaultKeepPrevious)),
		Helm:         written.Helm,
		WaitFor:      written.WaitFor,
		File:         r.doc.path,
	}
	suite.ProviderHint, _ = r.environment(kindProvider)
	if f.Lock != "" {
		suite.Lock = absolute(r.dir, f.Lock)
	}
	if f.Artifacts != "" {
		suite.Artifacts = absolute(r.dir, f.Artifacts)
	}
	if suite.File != "" {
		suite.LockDir, suite.Part = filepath.Join(r.doc.dir, lockFolder), len(f.Names) > 0
	}
	chosen, others := r.chooseImages(written)
	for _, image := range chosen {
		suite.Images = append(suite.Images, r.image(image, suite))
	}
	for _, image := range others {
		suite.Others = append(suite.Others, r.image(image, suite))
	}
	return suite
}

// chooseSuite picks the suite of the file: by consumer, else the only one of the
// asked Kind cluster, else the only one.
func (r *resolver) chooseSuite() (fileSuite, bool) {
	if len(r.doc.file.Suites) == 0 {
		return fileSuite{consumerFields: r.doc.file.consumerFields}, true
	}
	if r.flags.Consumer != "" {
		return r.suiteOfConsumer(r.flags.Consumer)
	}
	suites, about := r.doc.file.Suites, "several suites"
	if cluster := r.flags.KindCluster; cluster != "" {
		others := func(suite fileSuite) bool { return suite.KindCluster != cluster }
		if there := slices.DeleteFunc(slices.Clone(suites), others); len(there) > 0 {
			suites, about = there, "several suites for Kind cluster "+quote(cluster)
		} else {
			about = "several suites, none for Kind cluster " + quote(cluster)
		}
	}
	if len(suites) == 1 {
		return suites[0], true
	}
	r.found.add(r.doc.at(""), "has %s: %s; say which with --consumer", about, strings.Join(consumers(suites), ", "))
	return fileSuite{}, false
}

func (r *resolver) suiteOfConsumer(consumer string) (fileSuite, bool) {
	suites := r.doc.file.Suites
	if i := slices.IndexFunc(suites, func(suite fileSuite) bool { return suite.Consumer == consumer }); i >= 0 {
		return suites[i], true
	}
	// Else the check of flags said it.
	if dnsLabel.MatchString(consumer) {
		known := consumers(suites)
		r.found.add(r.flagPlace("--consumer"), "%s has no suite %q; its suites are %s%s", r.doc.shown, consumer,
			strings.Join(known, ", "), didYouMean(consumer, known))
	}
	return fileSuite{}, false
}

func consumers(suites []fileSuite) []string {
	names := make([]string, 0, len(suites))
	for _, suite := range suites {
		names = append(names, suite.Consumer)
	}
	return names
}

// chooseImages returns the asked images of the file, else all of the suite, and the others
// of the suite. An image with --source needs no entry in the file, and none does
// where there is no file.
func (r *resolver) chooseImages(suite fileSuite) (chosen, others []Image) {
	known := r.doc.file.imageNames()
	all := suite.Images
	if all == nil {
		all = known
	}
	names := r.flags.Names
	if len(names) == 0 {
		names = all
	}
	for _, name := range names {
		_, loose := r.loose[name]
		switch i := slices.Index(known, name); {
		case i >= 0:
			chosen = append(chosen, r.doc.file.Images[i])
		case loose || r.flags.Source != "" || r.doc.path == "":
			chosen = append(chosen, Image{Name: name})
		case dnsLabel.MatchString(name): // else the check of flags said it
			r.found.add(r.flagPlace("NAME"), "%v", r.noImage(name))
		}
	}
	for _, name := range all {
		if !slices.Contains(names, name) {
			others = append(others, r.doc.file.Images[slices.Index(known, name)])
		}
	}
	return chosen, others
}

func (r *resolver) noImage(name string) error {
	known := r.doc.file.imageNames()
	return fmt.Errorf("%s has no image %q; it has %s%s", r.doc.shown, name, strings.Join(known, ", "),
		didYouMean(name, known))
}

// image resolves one image of a suite; flags win over what is written.
func (r *resolver) image(written Image, of Suite) Image {
	if source, loose := r.loose[written.Name]; loose {
		return Image{
			Name: written.Name, Source: absoluteSource(r.dir, source), TagTemplate: DefaultTagTemplate,
			Deploy: r.deploy(written), Loose: true, Registry: of.Registry,
		}
	}
	f := r.flags
	image := Image{
		Name: written.Name, Source: absoluteSource(r.dir, f.Source), Repository: f.Repository,
		Tag: f.Tag, TagTemplate: cmp.Or(f.TagTemplate, r.doc.file.Tag, DefaultTagTemplate),
		External: written.External, Deploy: r.deploy(written), Registry: cmp.Or(written.Registry, of.Registry),
		Pull: written.Pull, HostOnly: written.HostOnly,
	}
	if image.Source == "" {
		image.Source = r.fill(&image, of.Consumer, FieldSource, written.Source, checkNamed)
	}
	if image.Repository == "" {
		image.Repository = r.fill(&image, of.Consumer, FieldRepository, written.Repository, checkRepository)
	}
	image.Prebuilt = r.fill(&image, of.Consumer, FieldPrebuilt, written.Prebuilt, checkSource)
	if written.Build != nil {
		build := *written.Build
		build.Dir, build.Context = r.doc.dir, absolute(r.doc.dir, build.Context)
		if build.File != "" {
			build.File = absolute(r.doc.dir, build.File)
		}
		image.Build = &build
	}
	return image
}

// fill returns what is written, or what it yields if it is a template. Failing to is a
// mistake only for verbs that use the field; check says what is wrong with the outcome.
func (r *resolver) fill(image *Image, consumer string, field Field, text string, check func(string) error) string {
	if text == "" {
		return ""
	}
	value := text
	if isTemplate(text) {
		var err error
		values := HelmValues{TemplateValues: TemplateValues{
			Name: image.Name, Consumer: consumer, Arch: runtime.GOARCH, Environment: r.environment,
		}}
		if value, err = render(text, sourceFields(), values); err == nil {
			if wrong := check(value); wrong != nil {
				err = fmt.Errorf("template %s gives a value that is not valid: %w", quote(text), wrong)
			}
		}
		if err != nil {
			if image.Unfilled == nil {
				image.Unfilled = map[Field]Problem{}
			}
			at := r.doc.at(r.doc.imageField(image.Name) + "." + string(field))
			image.Unfilled[field] = Problem{Where: at.where, What: err.Error()}
			return text
		}
	}
	return absoluteSource(r.doc.dir, value)
}

// deploy puts flags, file and defaults together.
func (r *resolver) deploy(written Image) Deploy {
	f, deploy := r.flags, written.Deploy
	if deploy.Workloads == nil {
		deploy.Workloads = []string{"deployment/" + written.Name}
	}
	if len(f.Workloads) > 0 {
		deploy.Workloads = f.Workloads
	}
	if len(f.Containers) > 0 {
		deploy.Containers = f.Containers
	}
	deploy.PullPolicy = cmp.Or(f.PullPolicy, deploy.PullPolicy)
	deploy.Timeout = cmp.Or(deploy.Timeout, DefaultTimeout)
	if f.Timeout != nil {
		deploy.Timeout = *f.Timeout
	}
	// In the file 0 means never.
	if !r.doc.written(r.doc.imageField(written.Name) + ".deploy.maxRestarts") {
		deploy.MaxRestarts = DefaultMaxRestarts
	}
	if f.MaxRestarts != nil {
		deploy.MaxRestarts = *f.MaxRestarts
	}
	return deploy
}

// imageField is where the image stands in the file.
func (d *document) imageField(name string) string {
	return fmt.Sprintf("images[%d]", slices.Index(d.file.imageNames(), name))
}
