package main

import (
	"path"
	"slices"
	"strings"
	"time"
)

// event is a line of `go test -json`, as `go doc test2json` has it.
type event struct {
	Action, Package, Test, Output string
	// Elapsed is in seconds.
	Elapsed float64
}

// ended is a test that ended.
type ended struct {
	pkg, name string
	// action is pass, fail or skip.
	action string
	took   time.Duration
}

// result is how a suite ended.
type result struct {
	suite suite
	took  time.Duration
	tests []ended
	// err is nil if all tests passed.
	err error
}

// count is how many tests ended with an action.
func (r result) count(action string) int {
	n := 0
	for _, t := range r.tests {
		if t.action == action {
			n++
		}
	}
	return n
}

// slowest are the tests that took longest, the longest first.
func (r result) slowest(most int) []ended {
	sorted := slices.SortedStableFunc(slices.Values(r.tests), func(a, b ended) int { return int(b.took - a.took) })
	return sorted[:min(most, len(sorted))]
}

// repeat is the command that runs one test of the suite again.
func (s suite) repeat(module string, t ended) string {
	words := []string{"go", "test"}
	placed := false
	for _, arg := range s.args {
		if strings.HasPrefix(arg, "./") {
			if !placed {
				words = append(words, "./"+strings.TrimPrefix(strings.TrimPrefix(t.pkg, module), "/"))
			}
			placed = true
			continue
		}
		words = append(words, arg)
	}
	return strings.Join(words, " ") + " -run '^" + path.Base(t.name) + "$'"
}
