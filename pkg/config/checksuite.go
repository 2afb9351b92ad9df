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
	c.consumer("", consumerFields{s.Consumer, s.KindCluster, s.Registry, s.Namespace, s.TagGroup, s.Helm, s.WaitFor})
	c.value("provider", s.Provider, checkEngine)
	c.value("engine", s.Engine, checkEngine)
	c.value("prebuilt", string(s.Prebuilt), checkPrebuilt)
	c.value("freshness", string(s.Freshness), checkFreshness)
	c.notNegative("keepPrevious", s.KeepPrevious)
	c.images(s.Images)
	return found.err()
}

var (
	keyOfMap    = regexp.MustCompile(`^(helm|images\[\d+\]\.build\.(?:args|flags))\.(.*)$`)
	firstLetter = regexp.MustCompile(`(^|\.)[a-z]`)
)

// goField is what a field of the file is called in a Suite: images[0].name is
// Images[0].Name.
func goField(field string) string {
	if parts := keyOfMap.FindStringSubmatch(field); parts != nil {
		key := parts[2]
		if !strings.HasPrefix(key, `"`) {
			key = strconv.Quote(key)
		}
		return goField(parts[1]) + "[" + key + "]"
	}
	return firstLetter.ReplaceAllStringFunc(field, strings.ToUpper)
}
