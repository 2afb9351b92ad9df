package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkFile reports values of the file that cannot be right.
func (d *document) checkFile() {
	f := &d.file
	switch f.APIVersion {
	case apiVersion:
	case "":
		d.missing("apiVersion", "is missing; write apiVersion: %s", apiVersion)
	default:
		d.wrong("apiVersion", "must be %s, is %s", apiVersion, quote(f.APIVersion))
	}
	switch f.Kind {
	case kind:
	case "":
		d.missing("kind", "is missing; write kind: %s", kind)
	default:
		d.wrong("kind", "must be %s, is %s", kind, quote(f.Kind))
	}
	d.value("tag", f.Tag, checkTagTemplate)
	d.value("engine", f.Engine, checkEngine)
	d.value("freshness", f.Freshness, checkFreshness)
	if f.KeepPrevious != nil && *f.KeepPrevious < 0 {
		d.wrong("keepPrevious", "%d must be 0 or more", *f.KeepPrevious)
	}
	if len(f.Images) == 0 {
		d.missing("images", "names no image; it needs at least:\n%s", example)
	}
	names := map[string]bool{}
	for i, image := range f.Images {
		d.checkImage(fmt.Sprintf("images[%d]", i), image, names)
	}
	d.checkSuites(names)
}

// value reports a value that a check finds wrong. Nothing said is never wrong.
func (d *document) value(field, value string, check func(string) error) {
	if value == "" {
		return
	}
	if err := check(value); err != nil {
		d.wrong(field, "%v", err)
	}
}

// checkSuites wants consumers to be told apart, and images that exist.
func (d *document) checkSuites(images map[string]bool) {
	f := &d.file
	if len(f.Suites) == 0 {
		d.checkSuite("", fileSuite{
			Consumer: f.Consumer, KindCluster: f.KindCluster, Namespace: f.Namespace,
			TagGroup: f.TagGroup, Helm: f.Helm,
		}, images)
		return
	}
	for _, top := range []string{"consumer", "kindCluster", "namespace", "tagGroup", "helm"} {
		if _, ok := d.lines[top]; ok {
			d.wrong(top, "a file with suites: has this in each suite, not at the top")
		}
	}
	seen := map[string]bool{}
	for i, suite := range f.Suites {
		field := fmt.Sprintf("suites[%d]", i)
		if suite.Consumer == "" {
			d.missing(field+".consumer", "is missing; each suite needs one of its own")
		} else if seen[suite.Consumer] {
			d.wrong(field+".consumer", "%s is the consumer of another suite already", quote(suite.Consumer))
		}
		seen[suite.Consumer] = true
		d.checkSuite(field, suite, images)
	}
}

func (d *document) checkSuite(field string, suite fileSuite, images map[string]bool) {
	d.value(child(field, "consumer"), suite.Consumer, checkName)
	d.value(child(field, "kindCluster"), suite.KindCluster, checkKindCluster)
	d.value(child(field, "namespace"), suite.Namespace, checkName)
	d.value(child(field, "tagGroup"), suite.TagGroup, checkName)
	if suite.Images != nil && len(suite.Images) == 0 {
		d.wrong(child(field, "images"), "names no image; leave it out for all images")
	}
	known := slices.Sorted(maps.Keys(images))
	seen := map[string]bool{}
	for i, name := range suite.Images {
		at := fmt.Sprintf("%s[%d]", child(field, "images"), i)
		switch {
		case !images[name]:
			d.wrong(at, "no image is called %s%s", quote(name), didYouMean(name, known))
		case seen[name]:
			d.wrong(at, "%s is in the list already", quote(name))
		}
		seen[name] = true
	}
	for _, key := range slices.Sorted(maps.Keys(suite.Helm)) {
		at := child(child(field, "helm"), key)
		if err := checkHelmKey(key); err != nil {
			d.wrong(at, "%v", err)
		}
		d.value(at, suite.Helm[key], checkHelmTemplate)
		name := key[:strings.IndexAny(key+".", ".[")]
		if images[name] && suite.Images != nil && !seen[name] && ofAnImage(suite.Helm[key]) {
			d.wrong(at, "uses %s, which is not an image of the suite: the chart would get another image", quote(name))
		}
	}
}

// ofAnImage tells whether a template yields something of an image.
func ofAnImage(text string) bool {
	_, fields, err := parseTemplate(text, helmFields(), nil)
	return err == nil && slices.ContainsFunc(fields, func(field string) bool {
		return slices.Contains([]string{"Image", "Repository", "Tag", "ImageID", "Name"}, field)
	})
}
