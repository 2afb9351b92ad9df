package rollout

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWhatIsShownIsMaskedFirst(t *testing.T) {
	t.Parallel()
	lines, err := readLines(strings.NewReader("a\r\n-----BEGIN PRIVATE " + "KEY-----\n" + strings.Repeat("AbC9", 16) + "\n-----END PRIVATE " + "KEY-----\n\x1b[31mpassword\x1b[0m=hunter2\n"))
	if err != nil || strings.Contains(strings.Join(lines, ""), "AbC9") || len(lines) != 5 || lines[0] != "a" || lines[4] != "password=***" {
		t.Errorf("%v: %q", err, lines)
	}
}

func TestALongLineIsCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	got := tidy([]string{strings.Repeat("é", 400) + "\xff"})[0]
	if len(got) > maxLine || !utf8.ValidString(got) || !strings.HasSuffix(got, "…") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}

func TestReadLinesKeepsTheLastOnes(t *testing.T) {
	t.Parallel()
	lines, err := readLines(strings.NewReader(strings.Repeat("first\n", 30) + strings.Repeat("x", 200<<10) + "\nlast"))
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != maxLogLines || lines[19] != "last" || len(lines[18]) != maxLine {
		t.Errorf("%d lines, the last two have %d bytes and are %q", len(lines), len(lines[18]), lines[19])
	}
}
