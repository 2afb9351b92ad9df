package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// Whatever a file says, it is judged without a crash, the same way twice, and
// messages are harmless to a terminal.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/*.yaml", "testdata/bad/*.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			f.Fatalf("no seeds: %v", err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	f.Add(twoImages + three)
	f.Add("{")
	f.Add("? [a]\n: b\n")
	f.Add("images: &a [*a]")
	f.Add("\ufeff---\n!!binary x: !foo y\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > maxSize {
			return
		}
		doc, err := parsed(text)
		if _, again := parsed(text); (err == nil) != (again == nil) || err != nil && err.Error() != again.Error() {
			t.Errorf("first\n%v\nthen\n%v", err, again)
		}
		if err != nil {
			if strings.ContainsFunc(err.Error(), func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) {
				t.Errorf("control characters in %q", err.Error())
			}
			return
		}
		resolver := &resolver{environment: func(string) (string, bool) { return "x", true }, dir: "/dir", doc: doc}
		suite := resolver.suite()
		if len(resolver.found.all) == 0 && len(suite.Images) == 0 {
			t.Error("a good file without images")
		}
	})
}
