package main

import (
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

// ended is a test that ended, or one of its subtests.
type ended struct {
	pkg string
	// name is that of the test, then behind a slash that of the subtest.
	name string
	// action is pass, fail or skip.
	action string
	took   time.Duration
}

// isSubtest tells whether it is a part of another test.
func (e ended) isSubtest() bool { return strings.Contains(e.name, "/") }

// result is how a suite ended.
type result struct {
	suite suite
	took  time.Duration
	tests []ended
	// err is nil if all tests passed.
	err error
}

// count is how many tests ended with an action; subtests do not count.
func (r result) count(action string) int {
	n := 0
	for _, t := range r.tests {
		if t.action == action && !t.isSubtest() {
			n++
		}
	}
	return n
}

// slowest are the tests that took longest, the longest first. Of a test with subtests
// those count: what runs in parallel is in no time of its parent's.
func (r result) slowest(most int) []ended {
	parents := map[string]bool{}
	for _, t := range r.tests {
		for name := t.name; strings.Contains(name, "/"); {
			name = name[:strings.LastIndex(name, "/")]
			parents[t.pkg+" "+name] = true
		}
	}
	leaves := slices.DeleteFunc(slices.Clone(r.tests), func(t ended) bool { return parents[t.pkg+" "+t.name] })
	slices.SortStableFunc(leaves, func(a, b ended) int { return int(b.took - a.took) })
	return leaves[:min(most, len(leaves))]
}

// command is what runs the suite. Where it is of another module, -C has to stand first.
func (s suite) command() []string {
	words := []string{"test"}
	args := s.args
	if s.folder() != "" {
		words, args = append(words, args[0]), args[1:]
	}
	return append(append(words, "-json"), args...)
}

// folder of the suite's module, "" for that of this one.
func (s suite) folder() string {
	folder, is := strings.CutPrefix(s.args[0], "-C=")
	if !is {
		return ""
	}
	return folder + "/"
}

// repeat is the command that runs one test of the suite again.
func (s suite) repeat(module string, t ended) string {
	words := []string{"go", "test"}
	placed := false
	for _, arg := range s.args {
		if strings.HasPrefix(arg, "./") {
			if !placed {
				words = append(words, "./"+strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(t.pkg, module), "/"), s.folder()))
			}
			placed = true
			continue
		}
		words = append(words, arg)
	}
	return strings.Join(words, " ") + " -run '^" + t.name + "$'"
}
