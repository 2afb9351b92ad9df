package config

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Check reports, in a *UsageError, everything in a suite that cannot be right. What
// Resolve returns has been checked; a suite may be made by hand as well.
func (s Suite) Check() error {
	c := &suiteCheck{}
	c.value("Consumer", s.Consumer, checkName)
	c.value("KindCluster", s.KindCluster, checkKindCluster)
	c.value("Namespace", s.Namespace, checkName)
	c.value("TagGroup", s.TagGroup, checkName)
	c.value("Provider", s.Provider, checkEngine)
	c.value("Engine", s.Engine, checkEngine)
	c.value("Prebuilt", string(s.Prebuilt), checkPrebuilt)
	c.value("Freshness", string(s.Freshness), checkFreshness)
	c.atLeastZero("KeepPrevious", s.KeepPrevious)
	for _, key := range slices.Sorted(maps.Keys(s.Helm)) {
		if err := checkHelmKey(key); err != nil {
			c.wrong(fmt.Sprintf("Helm[%q]", key), err.Error())
		}
	}
	names := map[string]bool{}
	for i, image := range s.Images {
		at := fmt.Sprintf("Images[%d].", i)
		switch {
		case image.Name == "":
			c.wrong(at+"Name", "is missing; records call the image by it")
		case names[image.Name]:
			c.wrong(at+"Name", quote(image.Name)+" is the name of another image already")
		}
		names[image.Name] = true
		c.image(at, image)
	}
	return c.found.err()
}

type suiteCheck struct{ found problems }

func (c *suiteCheck) wrong(field, what string) { c.found.add(said("Suite."+field), "%s", what) }

// value reports what a check finds wrong. Nothing said is never wrong.
func (c *suiteCheck) value(field, value string, check func(string) error) {
	if value == "" {
		return
	}
	if err := check(value); err != nil {
		c.wrong(field, err.Error())
	}
}

func (c *suiteCheck) atLeastZero(field string, number int) {
	if number < 0 {
		c.wrong(field, fmt.Sprintf("%d must be 0 or more", number))
	}
}

func (c *suiteCheck) image(at string, image Image) {
	c.value(at+"Name", image.Name, checkName)
	filled := func(field Field, name, value string, check func(string) error) {
		// What could not be filled in is told by the verbs that need it.
		if _, open := image.Unfilled[field]; !open {
			c.value(at+name, value, check)
		}
	}
	filled(FieldSource, "Source", image.Source, checkSource)
	filled(FieldRepository, "Repository", image.Repository, checkRepository)
	filled(FieldPrebuilt, "Prebuilt", image.Prebuilt, checkSource)
	c.value(at+"Tag", image.Tag, checkTag)
	c.value(at+"TagTemplate", image.TagTemplate, checkTagTemplate)
	c.value(at+"External", image.External, checkExternal)
	if image.External != "" && (image.Source != "" || image.Repository != "" || image.Build != nil) {
		c.wrong(at+"External",
			"an external image is loaded under its own name and never tagged; it has no Source, Repository or Build")
	}
	if b := image.Build; b != nil {
		c.value(at+"Build.Platform", b.Platform, checkPlatform)
		if len(b.Command) > 0 && b.Command[0] == "" {
			c.wrong(at+"Build.Command[0]", "is empty; it is the program to run")
		}
	}
	for i, text := range image.Deploy.Workloads {
		if err := checkWorkload(text); err != nil {
			c.wrong(fmt.Sprintf("%sDeploy.Workloads[%d]", at, i), err.Error())
		}
	}
	for i, name := range image.Deploy.Containers {
		c.value(fmt.Sprintf("%sDeploy.Containers[%d]", at, i), name, checkName)
	}
	c.value(at+"Deploy.PullPolicy", image.Deploy.PullPolicy, checkPullPolicy)
	c.atLeastZero(at+"Deploy.MaxRestarts", image.Deploy.MaxRestarts)
	if image.Deploy.Timeout < 0 {
		c.wrong(at+"Deploy.Timeout", fmt.Sprintf("%s must not be negative", image.Deploy.Timeout.Round(time.Millisecond)))
	}
}
