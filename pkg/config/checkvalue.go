package config

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/distribution/reference"
)

var (
	dnsLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	validTag = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
)

// Checks of values that are one pattern, or one of several words.
var (
	// checkKindCluster wants what kind takes as the name of a cluster.
	checkKindCluster = matches(`^[a-z0-9.-]+$`, "must be lowercase letters, digits, - and .; see: kind get clusters")
	checkWorkload    = matches(
		`^([a-z0-9]([a-z0-9-]*[a-z0-9])?/)?[a-zA-Z][a-zA-Z0-9.-]*/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`,
		"is not KIND/NAME or NAMESPACE/KIND/NAME, such as deployment/datastorage")
	// checkPlatform wants one platform as engines write it: an image of several could
	// not be pinned by one image ID.
	checkPlatform = matches(`^linux/[a-z0-9]+(/[a-z0-9]+)?$`,
		"is not one platform such as linux/amd64 or linux/arm64")
	checkEngine     = isOneOf("is neither docker nor podman", "docker", "podman")
	checkPullPolicy = isOneOf("must be Never or IfNotPresent, or be left out", "Never", "IfNotPresent")
	checkFreshness  = isOneOf("must be strict, warn or off", FreshnessStrict, FreshnessWarn, FreshnessOff)
	checkPull       = isOneOf("must be missing, always or never", PullMissing, PullAlways, PullNever)
	checkPrebuilt   = isOneOf("must be prefer, require or ignore", PrebuiltPrefer, PrebuiltRequire, PrebuiltIgnore)
)

func matches(pattern, mistake string) func(string) error {
	valid := regexp.MustCompile(pattern)
	return func(value string) error {
		if valid.MatchString(value) {
			return nil
		}
		return fmt.Errorf("%s %s", quote(value), mistake)
	}
}

func isOneOf[Word ~string](mistake string, words ...Word) func(string) error {
	return func(value string) error {
		if slices.Contains(words, Word(value)) {
			return nil
		}
		return fmt.Errorf("%s %s", quote(value), mistake)
	}
}

// checkName wants a DNS label: names become parts of object names, labels and annotation
// keys.
func checkName(name string) error {
	if dnsLabel.MatchString(name) {
		return nil
	}
	hint := ""
	if checkWorkload(name) == nil {
		hint = "; is it a workload? deploy and up take those with --workload"
	}
	return fmt.Errorf("%s must be 1 to 63 lowercase letters, digits and -, with a letter or digit at both ends%s",
		quote(name), hint)
}

// checkImageName is checkName for what is on the command line.
func checkImageName(name string) error {
	err := checkName(name)
	if err != nil && strings.ContainsAny(name, ":@") && checkSource(name) == nil {
		return fmt.Errorf("%w; is it an image itself? A NAME is what the config or a record calls it", err)
	}
	return err
}

// checkTag is about a whole tag, not a template.
func checkTag(tag string) error {
	switch {
	case validTag.MatchString(tag):
		return nil
	case len(tag) > 128:
		return fmt.Errorf("%s: has %d characters; a tag has at most 128", quote(tag), len(tag))
	}
	return fmt.Errorf("%s: a tag has letters, digits, _ . - and does not start with . or -", quote(tag))
}

func checkExternal(text string) error {
	if _, err := reference.ParseNormalizedNamed(text); err != nil {
		return fmt.Errorf("%s is no image reference: %s", quote(text), harmless(err))
	}
	return checkNamed(text)
}

func checkSource(text string) error {
	_, err := ParseSource(text)
	return err
}

// checkNamed is checkSource where nodes have the image by the name that is the source.
func checkNamed(text string) error {
	source, err := ParseSource(text)
	if err != nil {
		return err
	}
	return source.Nameable()
}

// checkRepository is about the repository of a recorded image.
func checkRepository(repository string) error {
	named, err := reference.ParseNormalizedNamed(repository)
	switch {
	case err != nil:
		return fmt.Errorf("%s is no repository: %s", quote(repository), harmless(err))
	case !reference.IsNameOnly(named):
		return fmt.Errorf("%s has a tag or digest; give the repository alone", quote(repository))
	case named.Name() != repository:
		return fmt.Errorf("%q is ambiguous; write localhost/%s or %s", repository, repository, named.Name())
	}
	return nil
}

// checkHelmKey wants one chart value: = and , would make it several, and a shell would
// take the others for its own.
func checkHelmKey(key string) error {
	if key != "" && !strings.ContainsFunc(key, func(r rune) bool {
		return strings.ContainsRune("=,*?$'\"`;&|<>()", r) || unicode.IsControl(r) || unicode.IsSpace(r)
	}) {
		return nil
	}
	return errors.New("is no key of a chart value, such as image.tag")
}

// checkTagTemplate is for --tag-template and tag: alike.
func checkTagTemplate(text string) error { return checkTemplate(text, "", tagFields(), checkTag) }

func checkHelmTemplate(text string) error { return checkTemplate(text, "", helmFields(), nil) }

// checkTemplate tries a template with sample values. Where what it yields depends on the
// environment, the check of that is left for later.
func checkTemplate(text, name string, fields []string, check func(string) error) error {
	open := false
	outcome, err := render(text, fields, HelmValues{TemplateValues: TemplateValues{
		Consumer: "c", Name: cmp.Or(name, "n"), Random: "00000000", User: "u", GitCommit: "0", GitShort: "0", Unix: 1,
		Arch: "amd64", Environment: func(string) (string, bool) {
			open = true
			return "x", true
		},
	}, Image: "x", Repository: "x", Tag: "x", ImageID: "x"})
	if err != nil || open || check == nil {
		return err
	}
	if err := check(outcome); err != nil {
		return fmt.Errorf("template %s gives a value that is not valid, for example: %w", quote(text), err)
	}
	return nil
}
