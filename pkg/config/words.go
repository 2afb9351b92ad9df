package config

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/distribution/reference"
)

// The checks of this file return what is wrong with a value, "" for nothing.

var (
	dnsLabel    = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	kindCluster = regexp.MustCompile(`^[a-z0-9.-]+$`)
	workload    = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?/)?[a-zA-Z][a-zA-Z0-9.-]*/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)
	platform    = regexp.MustCompile(`^linux/[a-z0-9]+(/[a-z0-9]+)?$`)
	validTag    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
)

func asDuration(d duration) time.Duration { return time.Duration(d) }

// checkName wants a DNS-1123 label: names become parts of object names, labels
// and annotation keys.
func checkName(name string) string {
	if name == "" || dnsLabel.MatchString(name) {
		return ""
	}
	mistake := fmt.Sprintf("%s must be 1 to 63 lowercase letters, digits and -, with a letter or digit at both ends",
		quote(name))
	if workload.MatchString(name) {
		mistake += "; is it a workload? deploy and up take those with --workload"
	}
	return mistake
}

// checkImageName is checkName for what is on the command line.
func checkImageName(name string) string {
	mistake := checkName(name)
	if mistake != "" && strings.ContainsAny(name, ":@") && checkSource(name) == "" {
		return mistake + "; is it an image itself? A NAME is what the config or a record calls it"
	}
	return mistake
}

// checkKindCluster wants what kind takes as the name of a cluster.
func checkKindCluster(name string) string {
	if name == "" || kindCluster.MatchString(name) {
		return ""
	}
	return fmt.Sprintf("%s must be lowercase letters, digits, - and .; see: kind get clusters", quote(name))
}

func checkWorkload(text string) string {
	if workload.MatchString(text) {
		return ""
	}
	return fmt.Sprintf("%s is not KIND/NAME or NAMESPACE/KIND/NAME, such as deployment/datastorage", quote(text))
}

// checkTag is about a whole tag, not a template.
func checkTag(tag string) string {
	switch {
	case validTag.MatchString(tag):
		return ""
	case len(tag) > 128:
		return fmt.Sprintf("has %d characters; a tag has at most 128", len(tag))
	}
	return "a tag has letters, digits, _ . - and does not start with . or -"
}

func checkPullPolicy(policy string) string {
	switch policy {
	case "", "Never", "IfNotPresent":
		return ""
	}
	return fmt.Sprintf("%s must be Never or IfNotPresent, or be left out", quote(policy))
}

func checkEngine(name string) string {
	switch name {
	case "docker", "podman":
		return ""
	}
	return fmt.Sprintf("%s is neither docker nor podman", quote(name))
}

func checkFreshness(word string) string {
	switch Freshness(word) {
	case FreshnessStrict, FreshnessWarn, FreshnessOff:
		return ""
	}
	return fmt.Sprintf("%s must be strict, warn or off", quote(word))
}

func checkPrebuilt(word string) string {
	switch Prebuilt(word) {
	case PrebuiltPrefer, PrebuiltRequire, PrebuiltIgnore:
		return ""
	}
	return fmt.Sprintf("%s must be prefer, require or ignore", quote(word))
}

// checkPlatform wants one platform as engines write it: an image of several could
// not be pinned by one image ID.
func checkPlatform(text string) string {
	if platform.MatchString(text) {
		return ""
	}
	return fmt.Sprintf("%s is not one platform such as linux/amd64 or linux/arm64", quote(text))
}

func checkExternal(text string) string {
	if _, err := reference.ParseNormalizedNamed(text); err != nil {
		return fmt.Sprintf("%s is no image reference: %s", quote(text), harmless(err))
	}
	return checkNamed(text)
}

// checkHelmKey wants one chart value: = and , would make it several, and a shell would
// take the others for its own.
func checkHelmKey(key string) string {
	if key != "" && !strings.ContainsAny(key, "=,*?$'\"`;&|<>()") && !strings.ContainsFunc(key, func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r)
	}) {
		return ""
	}
	return "is no key of a chart value, such as image.tag"
}

// checkTemplate tries a template with sample values; check says what is wrong
// with the outcome. Where it depends on the environment, that is left for later.
func checkTemplate(text, name string, allowed []string, check func(string) string) string {
	open := false
	sample := HelmValues{TemplateValues: TemplateValues{
		Consumer: "c", Name: first(name, "n"), Random: "00000000", User: "u", GitCommit: "0", GitShort: "0", Unix: 1,
		Arch: "amd64",
	}, Image: "x", Repository: "x", Tag: "x", ImageID: "x"}
	outcome, err := render(text, allowed, sample.fields(), func(string) (string, bool) {
		open = true
		return "x", true
	})
	if err != nil {
		return err.Error()
	}
	if check != nil && !open {
		if wrong := check(outcome); wrong != "" {
			return fmt.Sprintf("template %s yields, for example, %s: %s", quote(text), quote(outcome), wrong)
		}
	}
	return ""
}

// checkTagTemplate is for --tag-template and tag: alike.
func checkTagTemplate(text string) string {
	return checkTemplate(text, "", tagFields(), checkTag)
}
