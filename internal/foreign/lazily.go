package foreign

import (
	"regexp"
	"sync"
)

// lazily compiles a pattern when it is first used. Most commands mask nothing, and compiling
// all patterns would be a twentieth of their start.
func lazily(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}
