package config

import (
	"fmt"
	"maps"
	"slices"
)

// checkImage reports values of an image that cannot be right; names are those
// of the images so far.
func (d *document) checkImage(field string, image fileImage, names map[string]bool) {
	switch {
	case image.Name == "":
		d.missing(field+".name", "is missing; commands and records call the image by it")
	case names[image.Name]:
		d.wrong(field+".name", "%s is the name of another image already", quote(image.Name))
	}
	names[image.Name] = true
	d.value(field+".name", image.Name, checkName)
	d.templated(field+".source", image.Source, image.Name, checkNamed)
	d.templated(field+".repository", image.Repository, image.Name, checkRepository)
	d.templated(field+".prebuilt", image.Prebuilt, image.Name, checkSource)
	d.value(field+".external", image.External, checkExternal)
	if image.External != "" && (image.Source != "" || image.Repository != "" || image.Build != nil ||
		image.Deploy != nil) {
		d.wrong(field+".external",
			"an external image is loaded under its own name and never tagged; it has no source, repository, build or deploy")
	}
	if image.Build != nil {
		d.checkBuild(field+".build", image.Build)
	}
	if image.Deploy != nil {
		d.checkDeploy(field+".deploy", image.Deploy)
	}
}

// templated checks a value that may be a template.
func (d *document) templated(field, text, name string, check func(string) error) {
	if isTemplate(text) {
		d.value(field, text, func(text string) error { return checkTemplate(text, name, sourceFields(), check) })
		return
	}
	d.value(field, text, check)
}

func (d *document) checkBuild(field string, build *fileBuild) {
	if len(build.Command) > 0 && (build.File != "" || build.Target != "" || build.Platform != "" || build.NoCache ||
		len(build.Args) > 0 || len(build.Flags) > 0) {
		d.wrong(field, "has both command and what only an engine's build uses: file, target, platform, args, noCache or "+
			"flags; choose one")
	}
	if len(build.Command) > 0 && build.Command[0] == "" {
		d.wrong(field+".command[0]", "is empty; it is the program to run")
	}
	d.value(field+".platform", build.Platform, checkPlatform)
	for _, key := range slices.Sorted(maps.Keys(build.Args)) {
		d.value(child(field+".args", key), build.Args[key], func(text string) error {
			return checkTemplate(text, "", tagFields(), nil)
		})
	}
	for _, engine := range slices.Sorted(maps.Keys(build.Flags)) {
		if engine != "docker" && engine != "podman" {
			d.wrong(child(field+".flags", engine), "no such engine; known are docker, podman")
		}
	}
}

func (d *document) checkDeploy(field string, deploy *fileDeploy) {
	d.value(field+".pullPolicy", deploy.PullPolicy, checkPullPolicy)
	if deploy.Workloads != nil {
		for i, text := range *deploy.Workloads {
			if err := checkWorkload(text); err != nil {
				d.wrong(fmt.Sprintf("%s.workloads[%d]", field, i), "%v", err)
			}
		}
	}
	for i, name := range deploy.Containers {
		at := fmt.Sprintf("%s.containers[%d]", field, i)
		if name == "" {
			d.wrong(at, "is empty; it is the name of a container")
		}
		d.value(at, name, checkName)
	}
}
