package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// checker reports values that cannot be right, all at once. Fields are called as in the
// file, whether a file says them or a Suite that was made by hand; at is where one is.
type checker struct {
	found *problems
	at    func(field string) place
	// doc is the file whose values are checked as they are written, nil for others.
	doc *document
}

func (c checker) wrong(field, format string, args ...any) { c.found.add(c.at(field), format, args...) }

// missing reports a field that has to be there, unless it could not be read, or something
// beside it could not, which may have been meant.
func (c checker) missing(field, format string, args ...any) {
	if c.doc == nil || !c.doc.unread[field] && !c.doc.unread[parent(field)] {
		c.wrong(field, format, args...)
	}
}

// value reports what a check finds wrong. Nothing said is never wrong.
func (c checker) value(field, value string, check func(string) error) {
	if value != "" {
		c.report(field, check(value))
	}
}

func (c checker) report(field string, mistake error) {
	if mistake != nil {
		c.wrong(field, "%v", mistake)
	}
}

func (c checker) notNegative(field string, number int) {
	if number < 0 {
		c.wrong(field, "%d must be 0 or more", number)
	}
}

// check reports all values of the file that cannot be right.
func (d *document) check() {
	c := checker{found: d.found, at: d.at, doc: d}
	f := d.file
	c.mustBe("apiVersion", f.APIVersion, apiVersion)
	c.mustBe("kind", f.Kind, kind)
	c.value("tag", f.Tag, checkTagTemplate)
	c.value("engine", f.Engine, checkEngine)
	c.value("freshness", string(f.Freshness), checkFreshness)
	if len(f.Images) == 0 {
		c.missing("images", "names no image; it needs at least:\n%s", example)
	}
	c.images(f.Images)
	if len(f.Suites) == 0 {
		c.suite("", fileSuite{consumerFields: f.consumerFields}, f.imageNames())
	} else {
		c.suites(f.Suites, f.imageNames())
	}
}

func (c checker) mustBe(field, value, want string) {
	switch value {
	case want:
	case "":
		c.missing(field, "is missing; write %s: %s", field, want)
	default:
		c.wrong(field, "must be %s, is %s", want, quote(value))
	}
}

// suites wants consumers to be told apart.
func (c checker) suites(suites []fileSuite, images []string) {
	for _, top := range []string{"consumer", "kindCluster", "namespace", "tagGroup", "helm", "waitFor"} {
		if c.doc.written(top) {
			c.wrong(top, "a file with suites: has this in each suite, not at the top")
		}
	}
	seen := map[string]bool{}
	for i, suite := range suites {
		field := fmt.Sprintf("suites[%d]", i)
		if suite.Consumer == "" {
			c.missing(field+".consumer", "is missing; each suite needs one of its own")
		} else if seen[suite.Consumer] {
			c.wrong(field+".consumer", "%s is the consumer of another suite already", quote(suite.Consumer))
		}
		seen[suite.Consumer] = true
		c.suite(field+".", suite, images)
	}
}

// suite wants images that exist. The fields of a suite at top level have no prefix.
func (c checker) suite(prefix string, suite fileSuite, images []string) {
	c.consumer(prefix, suite.consumerFields)
	if suite.Images != nil && len(suite.Images) == 0 {
		c.wrong(prefix+"images", "names no image; leave it out for all images")
	}
	seen := map[string]bool{}
	for i, name := range suite.Images {
		at := fmt.Sprintf("%simages[%d]", prefix, i)
		switch {
		case !slices.Contains(images, name):
			c.wrong(at, "no image is called %s%s", quote(name), didYouMean(name, images))
		case seen[name]:
			c.wrong(at, "%s is in the list already", quote(name))
		}
		seen[name] = true
	}
	for _, key := range slices.Sorted(maps.Keys(suite.Helm)) {
		name := key[:strings.IndexAny(key+".", ".[")]
		if suite.Images != nil && !seen[name] && slices.Contains(images, name) && HelmNeedsImage(suite.Helm[key]) {
			c.wrong(child(prefix+"helm", key),
				"uses %s, which is not an image of the suite: the chart would get another image", quote(name))
		}
	}
}

func (c checker) consumer(prefix string, fields consumerFields) {
	c.value(prefix+"consumer", fields.Consumer, checkName)
	c.value(prefix+"kindCluster", fields.KindCluster, checkKindCluster)
	c.value(prefix+"registry", fields.Registry, checkRegistry)
	c.value(prefix+"namespace", fields.Namespace, checkName)
	c.value(prefix+"tagGroup", fields.TagGroup, checkName)
	for _, key := range slices.Sorted(maps.Keys(fields.Helm)) {
		at := child(prefix+"helm", key)
		c.report(at, checkHelmKey(key))
		c.value(at, fields.Helm[key], checkHelmTemplate)
	}
	c.workloads(prefix+"waitFor", fields.WaitFor)
}

// images wants images to be told apart.
func (c checker) images(images []Image) {
	seen := map[string]bool{}
	for i, image := range images {
		field := fmt.Sprintf("images[%d]", i)
		switch {
		case image.Name == "":
			c.missing(field+".name", "is missing; commands and records call the image by it")
		case seen[image.Name]:
			c.wrong(field+".name", "%s is the name of another image already", quote(image.Name))
		}
		seen[image.Name] = true
		c.image(field, image)
		if image.Build != nil {
			c.build(field+".build", image.Build)
		}
		c.deploy(field+".deploy", image.Deploy)
	}
}

func (c checker) image(field string, image Image) {
	c.value(field+".name", image.Name, checkName)
	filled := func(name Field, value string, check func(string) error) {
		at := field + "." + string(name)
		switch _, unfilled := image.Unfilled[name]; {
		case unfilled: // said by the verbs that need it
		case c.doc != nil && isTemplate(value):
			c.report(at, checkTemplate(value, image.Name, sourceFields(), check))
		default:
			c.value(at, value, check)
		}
	}
	named := checkNamed
	if c.doc == nil {
		named = checkSource // load says the rest
	}
	filled(FieldSource, image.Source, named)
	filled(FieldRepository, image.Repository, checkRepository)
	filled(FieldPrebuilt, image.Prebuilt, checkSource)
	c.value(field+".registry", image.Registry, checkRegistry)
	c.value(field+".tag", image.Tag, checkTag)
	c.value(field+".tagTemplate", image.TagTemplate, checkTagTemplate)
	c.value(field+".external", image.External, checkExternal)
	if image.HostOnly && (image.External != "" || image.Build == nil && image.Prebuilt == "" ||
		c.doc != nil && c.doc.written(field+".deploy")) {
		c.wrong(field+".hostOnly", "such an image is built or adopted on this host and goes into no cluster; it has a build "+
			"or prebuilt, and neither external nor deploy")
	}
	c.value(field+".pull", string(image.Pull), checkPull)
	if image.Pull != "" && image.External == "" && image.Prebuilt == "" {
		c.wrong(field+".pull", "is about external and prebuilt images, and this is neither")
	}
	if image.External != "" && (image.Source != "" || image.Repository != "" || image.Build != nil ||
		c.doc != nil && c.doc.written(field+".deploy")) {
		c.wrong(field+".external",
			"an external image is loaded under its own name and never tagged; it has no source, repository, build or deploy")
	}
}

func (c checker) build(field string, build *Build) {
	c.value(field+".platform", build.Platform, checkPlatform)
	if len(build.Command) > 0 && build.Command[0] == "" {
		c.missing(field+".command[0]", "is empty; it is the program to run")
	}
	if len(build.Command) > 0 && (build.File != "" || build.Target != "" || build.Platform != "" || build.NoCache ||
		len(build.Args) > 0 || len(build.Flags) > 0) {
		c.wrong(field, "has both command and what only an engine's build uses: file, target, platform, args, noCache or "+
			"flags; choose one")
	}
	for i, word := range build.Command {
		c.value(fmt.Sprintf("%s.command[%d]", field, i), word, func(text string) error {
			return checkTemplate(text, "", commandFields(), nil)
		})
	}
	for _, key := range slices.Sorted(maps.Keys(build.Args)) {
		c.value(child(field+".args", key), build.Args[key], func(text string) error {
			return checkTemplate(text, "", tagFields(), nil)
		})
	}
	for _, engine := range slices.Sorted(maps.Keys(build.Flags)) {
		if checkEngine(engine) != nil {
			c.wrong(child(field+".flags", engine), "no such engine; known are docker, podman")
		}
		for i, flag := range build.Flags[engine] {
			c.value(fmt.Sprintf("%s[%d]", child(field+".flags", engine), i), flag, func(text string) error {
				return checkTemplate(text, "", tagFields(), nil)
			})
		}
	}
}

func (c checker) deploy(field string, deploy Deploy) {
	c.value(field+".pullPolicy", deploy.PullPolicy, checkPullPolicy)
	c.workloads(field+".workloads", deploy.Workloads)
	for i, name := range deploy.Containers {
		at := fmt.Sprintf("%s.containers[%d]", field, i)
		if name == "" {
			c.missing(at, "is empty; it is the name of a container")
		}
		c.value(at, name, checkName)
	}
	c.notNegative(field+".maxRestarts", deploy.MaxRestarts)
	if deploy.Timeout < 0 {
		c.wrong(field+".timeout", "%s must not be negative", deploy.Timeout.Round(time.Millisecond))
	}
}

func (c checker) workloads(field string, workloads []string) {
	for i, text := range workloads {
		at := fmt.Sprintf("%s[%d]", field, i)
		if text == "" {
			c.missing(at, "%v", checkWorkload(text))
		}
		c.value(at, text, checkWorkload)
	}
}
