package config

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
)

// TemplateValues are what templates can use.
type TemplateValues struct {
	Consumer, Name string
	// Random is 8 hex digits, drawn once; see NewRandom.
	Random string
	// User who runs the command.
	User string
	// GitCommit is the commit of the working tree; GitShort its first digits.
	GitCommit, GitShort string
	// Unix is the time in seconds.
	Unix int64
	// Arch is Go's name of the host's architecture.
	Arch string
	// Environment is what the function env looks up.
	Environment Environment
}

// HelmValues are what templates of chart values can use as well. Those of build commands
// can use Image, Repository and Tag.
type HelmValues struct {
	TemplateValues
	Image, Repository, Tag, ImageID string
	// Digest of an image in a registry, "" for one of nodes.
	Digest string
}

// NewRandom returns 8 hex digits from the system's random numbers: a clock would
// repeat.
func NewRandom() (string, error) {
	var random [4]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", fmt.Errorf("random numbers: %w", err)
	}
	return hex.EncodeToString(random[:]), nil
}

// DrawTag renders a tag template and checks what comes out.
func DrawTag(text string, values TemplateValues) (string, error) {
	tag, err := render(text, tagFields(), HelmValues{TemplateValues: values})
	if err != nil {
		return "", err
	}
	if err := checkTag(tag); err != nil {
		return "", fmt.Errorf("template %s yields %w", quote(text), err)
	}
	return tag, nil
}

// HelmValue renders the template of a chart value.
func HelmValue(text string, values HelmValues) (string, error) {
	return render(text, helmFields(), values)
}

// HelmNeedsImage tells whether the template of a chart value yields something of an image. Others
// are constants of a suite, such as a pull policy.
func HelmNeedsImage(text string) bool {
	_, fields, err := parseTemplate(text, helmFields(), nil)
	return err == nil && slices.ContainsFunc(fields, func(field string) bool {
		return slices.Contains([]string{"Image", "Repository", "Tag", "Digest", "ImageID", "Name"}, field)
	})
}

// tagFields are what templates of tags and build arguments can use.
func tagFields() []string {
	return []string{"Consumer", "Name", "Random", "User", "GitCommit", "GitShort", "Unix", "Arch"}
}

// commandFields are what the words of a build command can use: the tag is decided before
// the build.
func commandFields() []string { return append([]string{"Image", "Repository", "Tag"}, tagFields()...) }

// helmFields are what templates of chart values can use. A random would be
// another one than the tag's.
func helmFields() []string {
	return []string{
		"Image", "Repository", "Tag", "Digest", "ImageID", "Consumer", "Name", "User", "GitCommit", "GitShort", "Unix",
		"Arch",
	}
}

// sourceFields are what templates of source, repository and prebuilt can use:
// what is the same in every run on a host. Else one run could not find what
// another one left.
func sourceFields() []string { return []string{"Consumer", "Name", "Arch"} }
