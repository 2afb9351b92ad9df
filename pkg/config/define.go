package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Define is Resolve for a program that says itself what a file would say: the written
// suite, with the template of its tags. Zero values mean the defaults, MaxRestarts and
// KeepPrevious below 0 none. Paths are relative to dir, where lock files are as well.
func Define(flags Flags, written Suite, tag string, environment Environment, dir string) (Suite, error) {
	if environment == nil {
		environment = func(string) (string, bool) { return "", false }
	}
	r := &resolver{environment: environment, dir: dir}
	flags.AnyImages = true // a definition without images is told as such
	r.flags, r.variables = flags.withVariables(environment)
	r.doc = newDocument("", "Definition", &r.found)
	r.doc.dir = dir
	r.doc.define(written, tag)

	r.doc.check()
	goodDefinition := len(r.found.all) == 0
	r.flags.Names = eachOnce(r.flags.Names)
	r.checkFlags()
	suite := Suite{}
	if goodDefinition {
		suite = r.suite()
	}
	if err := r.found.err(); err != nil {
		return Suite{}, inGo(err.(*UsageError))
	}
	suite.LockDir, suite.Part = filepath.Join(dir, lockFolder), len(r.flags.Names) > 0
	// Commands that are suggested cannot read the definition.
	suite.Hints = Hints{Flags: r.flags.Repeat}
	return suite, nil
}

// define makes the document one that says what a program has said.
func (d *document) define(written Suite, tag string) {
	d.file = file{
		APIVersion: apiVersion, Kind: kind, Tag: tag, Engine: written.Engine, Freshness: written.Freshness,
		Images: slices.Clone(written.Images), consumerFields: consumerFields{
			Consumer: written.Consumer, KindCluster: written.KindCluster, Registry: written.Registry,
			Namespace: written.Namespace, TagGroup: written.TagGroup, Helm: written.Helm, WaitFor: written.WaitFor,
		},
	}
	if len(written.Images) == 0 {
		d.unread["images"] = true
		d.found.add(d.at("images"), "is empty; say which images")
	}
	if written.KeepPrevious != 0 {
		d.file.KeepPrevious = new(max(0, written.KeepPrevious))
	}
	for i := range d.file.Images {
		image, field := &d.file.Images[i], fmt.Sprintf("images[%d].deploy", i)
		if deploy := image.Deploy; deploy.Workloads != nil || len(deploy.Containers) > 0 || deploy.PullPolicy != "" {
			d.lines[field] = 0
		}
		if image.Deploy.MaxRestarts != 0 {
			d.lines[field+".maxRestarts"] = 0
			image.Deploy.MaxRestarts = max(0, image.Deploy.MaxRestarts)
		}
	}
}

// inGo calls what a program says as Go does: Definition.Images[0].Name.
func inGo(err *UsageError) *UsageError {
	said := map[string]string{
		"--consumer": "Definition.Consumer", "--namespace": "Definition.Namespace", "--engine": "Definition.Engine",
		"--prebuilt": "Definition.Prebuilt", "--kind-cluster": "Options.KindCluster", "--provider": "Options.Provider",
	}
	for i, problem := range err.Problems {
		if field, ok := said[problem.Where]; ok {
			err.Problems[i].Where = field
		}
		if field, ours := strings.CutPrefix(problem.Where, "Definition: "); ours {
			err.Problems[i].Where = "Definition." + goField(field)
		}
	}
	return err
}

// Only is the part of the suite with the named images, in that order; all of it without
// names. Names that the suite does not have are a *UsageError.
func (s Suite) Only(names ...string) (Suite, error) {
	if len(names) == 0 {
		return s, nil
	}
	var found problems
	var known []string
	all := slices.Concat(s.Images, s.Others)
	for _, image := range all {
		known = append(known, image.Name)
	}
	part := s
	part.Images, part.Others, part.Part = nil, nil, true
	for _, name := range eachOnce(names) {
		if i := slices.Index(known, name); i >= 0 {
			part.Images = append(part.Images, all[i])
			continue
		}
		found.add(place{}, "there is no image %q; the suite has %s%s", name, strings.Join(known, ", "),
			didYouMean(name, known))
	}
	for _, image := range all {
		if !slices.Contains(names, image.Name) {
			part.Others = append(part.Others, image)
		}
	}
	return part, found.err()
}
