package config

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/distribution/reference"
)

var (
	dnsLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	workload = regexp.MustCompile(`^([a-z0-9-]+/)?[a-zA-Z.]+/[a-z0-9][a-z0-9.-]*$`)
)

func asDuration(d duration) time.Duration { return time.Duration(d) }

// checkName wants a DNS-1123 label: names become parts of object names, labels
// and annotation keys.
func checkName(where, name string, found *problems) {
	if name != "" && !dnsLabel.MatchString(name) {
		found.add(where, "%q must be 1 to 63 small letters, digits and -, with a letter or digit at both ends", name)
	}
}

// checkFlags reports mistakes in what the command line says.
func (r *resolver) checkFlags() {
	f := r.flags
	checkName("--consumer", f.Consumer, &r.found)
	checkName("--namespace", f.Namespace, &r.found)
	for _, name := range f.Names {
		checkName("NAME", name, &r.found)
		if name == "" {
			r.found.add("NAME", "is empty")
		}
	}
	for flag, value := range map[string]string{"--source": f.Source, "--repository": f.Repository, "--tag": f.Tag} {
		if value != "" && len(r.names()) != 1 {
			r.found.add(flag, "is for exactly one NAME")
		}
	}
	if f.Source != "" {
		if _, err := ParseSource(f.Source); err != nil {
			r.found.add("--source", "%v", err)
		}
	}
	if f.Repository != "" {
		if wrong := checkRepository(f.Repository); wrong != "" {
			r.found.add("--repository", "%s", wrong)
		}
	}
	if f.Tag != "" {
		if wrong := checkTag(f.Tag); wrong != "" {
			r.found.add("--tag", "%q: %s", f.Tag, wrong)
		}
	}
	if f.TagTemplate != "" {
		r.checkTemplate("--tag-template", f.TagTemplate)
	}
	for _, text := range f.Workloads {
		checkWorkload("--workload", text, &r.found)
	}
	switch f.Provider {
	case "", "docker", "podman":
	default:
		r.found.add("--provider", "%q is neither docker nor podman", f.Provider)
	}
	if r.doc == nil && len(f.Names) == 0 && len(r.found.all) == 0 {
		r.found.add("", "which image? Give its NAME, or write an %s like this:\n%s", fileName, example)
	}
}

func (r *resolver) checkTemplate(where, text string) {
	if _, err := parseTemplate(text, nil); err != nil {
		r.found.add(where, "%v", err)
		return
	}
	if _, err := render(text, sample, HelmValues{TemplateValues: sample, Image: "x", Repository: "x", Tag: "x", ImageID: "x"}); err != nil {
		r.found.add(where, "%v", err)
	}
}

// sample stands for values that are not known yet.
var sample = TemplateValues{
	Consumer: "c", Name: "n", Random: "00000000", User: "u", GitCommit: "0", GitShort: "0", Unix: 1, Arch: "amd64",
	Environment: func(string) (string, bool) { return "x", true },
}

func checkWorkload(where, text string, found *problems) {
	if !workload.MatchString(text) {
		found.add(where, "%q is not KIND/NAME or NAMESPACE/KIND/NAME", text)
	}
}

// checkFile reports values of the file that cannot be right.
func (r *resolver) checkFile() {
	f, at := &r.doc.file, r.doc.at
	if f.APIVersion != apiVersion {
		r.found.add(at("apiVersion"), "must be %s, is %q", apiVersion, f.APIVersion)
	}
	if f.Kind != kind {
		r.found.add(at("kind"), "must be %s, is %q", kind, f.Kind)
	}
	if f.Tag != "" {
		r.checkTemplate(at("tag"), f.Tag)
	}
	if len(f.Images) == 0 {
		r.found.add(at("images"), "names no image; it needs at least:\n%s", example)
	}
	seen := map[string]bool{}
	for i, image := range f.Images {
		r.checkImage(fmt.Sprintf("images[%d]", i), image, seen)
	}
	r.checkSuites(seen)
}

func (r *resolver) checkImage(field string, image fileImage, seen map[string]bool) {
	at := func(name string) string { return r.doc.at(field + "." + name) }
	if image.Name == "" {
		r.found.add(r.doc.at(field), "has no name")
	}
	checkName(at("name"), image.Name, &r.found)
	if seen[image.Name] {
		r.found.add(at("name"), "%q is the name of another image already", image.Name)
	}
	seen[image.Name] = true
	for name, text := range map[string]string{"source": image.Source, "prebuilt": image.Prebuilt} {
		if strings.Contains(text, "{{") {
			r.checkTemplate(at(name), text)
		} else if text != "" {
			if _, err := ParseSource(text); err != nil {
				r.found.add(at(name), "%v", err)
			}
		}
	}
	if strings.Contains(image.Repository, "{{") {
		r.checkTemplate(at("repository"), image.Repository)
	} else if image.Repository != "" {
		if wrong := checkRepository(image.Repository); wrong != "" {
			r.found.add(at("repository"), "%s", wrong)
		}
	}
	r.checkExternal(field, image)
	if image.Build != nil && len(image.Build.Command) > 0 && image.Build.File != "" {
		r.found.add(at("build"), "has both file and command; choose one")
	}
	if image.Deploy != nil {
		r.checkDeploy(field+".deploy", image.Deploy)
	}
}

func (r *resolver) checkExternal(field string, image fileImage) {
	if image.External == "" {
		return
	}
	if _, err := reference.ParseNormalizedNamed(image.External); err != nil {
		r.found.add(r.doc.at(field+".external"), "%q is no image reference: %v", image.External, err)
	}
	if image.Source != "" || image.Repository != "" || image.Build != nil {
		r.found.add(r.doc.at(field+".external"), "an external image keeps its own name; it has no source, repository or build")
	}
}

func (r *resolver) checkDeploy(field string, deploy *fileDeploy) {
	switch deploy.PullPolicy {
	case "", "Never", "IfNotPresent":
	default:
		r.found.add(r.doc.at(field+".pullPolicy"), "%q must be Never or IfNotPresent, or be left out", deploy.PullPolicy)
	}
	if deploy.Workloads != nil {
		for i, text := range *deploy.Workloads {
			checkWorkload(r.doc.at(fmt.Sprintf("%s.workloads[%d]", field, i)), text, &r.found)
		}
	}
}

func (r *resolver) checkSuites(images map[string]bool) {
	f, at := &r.doc.file, r.doc.at
	if len(f.Suites) > 0 {
		for field, value := range map[string]string{"consumer": f.Consumer, "kindCluster": f.KindCluster, "namespace": f.Namespace, "tagGroup": f.TagGroup} {
			if value != "" {
				r.found.add(at(field), "a file with suites: says this in each suite")
			}
		}
	}
	known := make([]string, 0, len(images))
	for name := range images {
		known = append(known, name)
	}
	seen := map[string]bool{}
	for i, suite := range f.suites() {
		field := ""
		if len(f.Suites) > 0 {
			field = fmt.Sprintf("suites[%d].", i)
			if suite.Consumer == "" {
				r.found.add(at(strings.TrimSuffix(field, ".")), "has no consumer")
			} else if seen[suite.Consumer] {
				r.found.add(at(field+"consumer"), "%q is the consumer of another suite already", suite.Consumer)
			}
			seen[suite.Consumer] = true
		}
		checkName(at(field+"consumer"), suite.Consumer, &r.found)
		checkName(at(field+"namespace"), suite.Namespace, &r.found)
		for j, name := range suite.Images {
			if !images[name] {
				r.found.add(at(fmt.Sprintf("%simages[%d]", field, j)), "no image is called %q%s", name, didYouMean(name, known))
			}
		}
		for key, text := range suite.Helm {
			r.checkTemplate(at(field+"helm."+key), text)
		}
	}
}
