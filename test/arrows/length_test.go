package arrows

import (
	"go/scanner"
	"go/token"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"
)

// What a reader sees at once: a file on a few screens, a line without scrolling.
const (
	maxLines   = 300
	maxColumns = 120
)

func TestFilesAndLinesOfTheProductAreShort(t *testing.T) {
	t.Parallel()
	files, err := exec.CommandContext(t.Context(), "git", "-C", "../..", "ls-files", "-co", "--exclude-standard", "--", "cmd/*.go", "internal/*.go", "pkg/*.go").Output()
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, name := range strings.Fields(string(files)) {
		text, err := os.ReadFile("../../" + name)
		if os.IsNotExist(err) || strings.HasSuffix(name, "_test.go") {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		checked++
		lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		if len(lines) > maxLines {
			t.Errorf("%s has %d lines, more than %d", name, len(lines), maxLines)
		}
		raw := rawLines(name, text)
		for i, line := range lines {
			if columns := utf8.RuneCountInString(line); columns > maxColumns && !raw[i+1] {
				t.Errorf("%s:%d has %d columns, more than %d", name, i+1, columns, maxColumns)
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d files found: is the pattern still right?", checked)
	}
}

// rawLines are the lines, from 1, that have a part of a raw string: a pattern or a text is as
// long as it is.
func rawLines(name string, text []byte) map[int]bool {
	set := token.NewFileSet()
	file := set.AddFile(name, -1, len(text))
	var tokens scanner.Scanner
	tokens.Init(file, text, nil, 0)
	raw := map[int]bool{}
	for {
		at, kind, literal := tokens.Scan()
		switch {
		case kind == token.EOF:
			return raw
		case kind == token.STRING && strings.HasPrefix(literal, "`"):
			first := file.Line(at)
			for i := range strings.Count(literal, "\n") + 1 {
				raw[first+i] = true
			}
		}
	}
}
