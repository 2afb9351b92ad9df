package config

import (
	"path/filepath"
	"slices"
	"strings"
)

// Resolve works out the suite that a command is about. dir is the working
// folder. Everything that is wrong with the input comes in one *UsageError.
func Resolve(flags Flags, environment Environment, dir string) (Suite, error) {
	r := &resolver{flags: flags, environment: environment, dir: dir}
	path, shown := find(flags, environment, dir, &r.found)
	if path != "" {
		r.doc = load(path, shown, &r.found)
		r.base = filepath.Dir(path)
		if len(r.found.all) == 0 {
			r.checkFile()
		}
	}
	r.checkFlags()
	if len(r.found.all) > 0 {
		return Suite{}, r.found.err()
	}
	suite := r.suite()
	suite.File = path
	return suite, r.found.err()
}

// resolver carries what the steps of Resolve share.
type resolver struct {
	flags       Flags
	environment Environment
	dir         string
	// doc is nil without a config file; base is its folder.
	doc   *document
	base  string
	found problems
}

func (r *resolver) variable(keys ...string) (value, key string) {
	for _, key := range keys {
		if value, ok := r.environment(key); ok && value != "" {
			return value, key
		}
	}
	return "", ""
}

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}

// suite puts flag, environment, config and default together.
func (r *resolver) suite() Suite {
	consumer, consumerKey := r.variable("E2EIMAGE_CONSUMER")
	kindCluster, _ := r.variable("E2EIMAGE_KIND_CLUSTER", "KIND_CLUSTER_NAME")
	namespace, namespaceKey := r.variable("E2EIMAGE_NAMESPACE")
	hint, _ := r.variable("KIND_EXPERIMENTAL_PROVIDER")
	checkName(consumerKey, consumer, &r.found)
	checkName(namespaceKey, namespace, &r.found)
	suite := Suite{
		Consumer: first(r.flags.Consumer, consumer), KindCluster: first(r.flags.KindCluster, kindCluster),
		Namespace: first(r.flags.Namespace, namespace), Provider: r.flags.Provider, ProviderHint: hint,
	}
	if r.doc == nil {
		for _, name := range r.names() {
			suite.Images = append(suite.Images, r.image(fileImage{Name: name}, DefaultTagTemplate))
		}
		return suite
	}
	written, ok := r.choose(suite)
	if !ok {
		return suite
	}
	suite.Consumer = first(suite.Consumer, written.Consumer)
	suite.KindCluster = first(suite.KindCluster, written.KindCluster)
	suite.Namespace = first(suite.Namespace, written.Namespace)
	suite.TagGroup, suite.Helm = written.TagGroup, written.Helm
	for _, image := range r.chosenImages(written) {
		suite.Images = append(suite.Images, r.image(image, first(r.doc.file.Tag, DefaultTagTemplate)))
	}
	return suite
}

// names are the asked ones, each once.
func (r *resolver) names() []string {
	var names []string
	for _, name := range r.flags.Names {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// choose picks the suite of the file: by consumer, else the only one of the
// asked Kind cluster, else the only one.
func (r *resolver) choose(asked Suite) (fileSuite, bool) {
	suites := r.doc.file.suites()
	if len(r.doc.file.Suites) == 0 {
		return suites[0], true
	}
	var consumers []string
	for _, suite := range suites {
		consumers = append(consumers, suite.Consumer)
		if suite.Consumer == asked.Consumer {
			return suite, true
		}
	}
	if asked.Consumer != "" {
		r.found.add("--consumer", "%q is no suite of %s%s; its suites are %s", asked.Consumer, r.doc.path,
			didYouMean(asked.Consumer, consumers), strings.Join(consumers, ", "))
		return fileSuite{}, false
	}
	if asked.KindCluster != "" {
		var there []fileSuite
		for _, suite := range suites {
			if suite.KindCluster == asked.KindCluster {
				there = append(there, suite)
			}
		}
		if len(there) == 1 {
			return there[0], true
		}
	}
	if len(suites) == 1 {
		return suites[0], true
	}
	r.found.add("", "%s has several suites: %s; say which with --consumer", r.doc.path, strings.Join(consumers, ", "))
	return fileSuite{}, false
}

// chosenImages are the asked images of the file, else all of the suite.
func (r *resolver) chosenImages(suite fileSuite) []fileImage {
	byName := map[string]fileImage{}
	var known []string
	for _, image := range r.doc.file.Images {
		byName[image.Name] = image
		known = append(known, image.Name)
	}
	names := r.names()
	if len(names) == 0 {
		if names = suite.Images; names == nil {
			names = known
		}
	}
	var chosen []fileImage
	for _, name := range names {
		image, ok := byName[name]
		if !ok && r.flags.Source == "" {
			r.found.add("", "%s has no image %q%s; it has %s", r.doc.path, name, didYouMean(name, known), strings.Join(known, ", "))
			continue
		}
		image.Name = name
		chosen = append(chosen, image)
	}
	return chosen
}

// image resolves one image; flags win over what is written.
func (r *resolver) image(written fileImage, tagTemplate string) Image {
	values := TemplateValues{Name: written.Name, Consumer: r.flags.Consumer, Environment: r.environment}
	image := Image{
		Name: written.Name, External: written.External, Tag: r.flags.Tag,
		TagTemplate: first(r.flags.TagTemplate, tagTemplate),
		Repository:  first(r.flags.Repository, r.rendered(written.Repository, values)),
		Prebuilt:    absoluteSource(r.base, r.rendered(written.Prebuilt, values)),
		Deploy:      r.deploy(written),
	}
	if r.flags.Source != "" {
		image.Source = absoluteSource(r.dir, r.flags.Source)
	} else {
		image.Source = absoluteSource(r.base, r.rendered(written.Source, values))
	}
	if b := written.Build; b != nil {
		image.Build = &Build{
			Context: absolute(r.base, first(b.Context, ".")), File: b.File, Target: b.Target, NoCache: b.NoCache,
			Flags: b.Flags, Command: b.Command, Args: map[string]string{},
		}
		for key, value := range b.Args {
			image.Build.Args[key] = value
		}
	}
	return image
}

// rendered fills a template in; one that cannot be filled in now is reported.
func (r *resolver) rendered(text string, values TemplateValues) string {
	if !strings.Contains(text, "{{") {
		return text
	}
	value, err := render(text, values, values)
	if err != nil {
		r.found.add(r.doc.path, "%v", err)
	}
	return value
}

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
		deploy.PullPolicy = first(deploy.PullPolicy, said.PullPolicy)
		if said.Timeout != nil {
			deploy.Timeout = asDuration(*said.Timeout)
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
