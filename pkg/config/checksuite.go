package config

import (
	"regexp"
	"strconv"
	"strings"
)

// Check reports, in a *UsageError, everything in a suite that cannot be right. What
// Resolve returns has been checked; a suite may be made by hand as well.
func (s Suite) Check() error {
	var found problems
	c := checker{found: &found, at: func(field string) place { return place{where: "Suite." + goField(field)} }}
	c.consumer("", consumerFields{s.Consumer, s.KindCluster, s.Namespace, s.TagGroup, s.Helm})
	c.value("provider", s.Provider, checkEngine)
	c.value("engine", s.Engine, checkEngine)
	c.value("prebuilt", string(s.Prebuilt), checkPrebuilt)
	c.value("freshness", string(s.Freshness), checkFreshness)
	c.notNegative("keepPrevious", s.KeepPrevious)
	c.images(s.Images)
	return found.err()
}

var firstLetter = regexp.MustCompile(`(^|\.)[a-z]`)

// goField is what a field of the file is called in a Suite: images[0].name is
// Images[0].Name.
func goField(field string) string {
	if key, ok := strings.CutPrefix(field, "helm."); ok {
		if !strings.HasPrefix(key, `"`) {
			key = strconv.Quote(key)
		}
		return "Helm[" + key + "]"
	}
	return firstLetter.ReplaceAllStringFunc(field, strings.ToUpper)
}
