package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestEveryMessageThatTroubleshootingExplainsIsInTheCode(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	code := sources(t, "../../pkg", "..")
	count := 0
	for heading := range strings.Lines(string(page)) {
		if !strings.HasPrefix(heading, "### ") {
			continue
		}
		for _, message := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(heading, -1) {
			// What differs from case to case is written as …, and a reason comes after a colon.
			for _, part := range regexp.MustCompile(`…|: `).Split(message[1], -1) {
				part = strings.TrimSpace(part)
				count++
				if !strings.Contains(code, part) {
					t.Errorf("%q of %q is nowhere in the code", part, message[1])
				}
			}
		}
	}
	if count < 50 {
		t.Errorf("only %d parts of messages were found: are they still in headings?", count)
	}
}

// sources are the product's files in one text, with the quotes inside of strings as they
// are printed.
func sources(t *testing.T, roots ...string) string {
	t.Helper()
	var all strings.Builder
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			all.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return strings.ReplaceAll(all.String(), `\"`, `"`)
}
