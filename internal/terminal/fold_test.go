package terminal

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLinesAreFoldedAtWords(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text    string
		columns int
		first   int
		want    string
	}{
		"a pipe has no width": {"one two three", 0, 0, "one two three"},
		"it fits":             {"one two three", 13, 0, "one two three"},
		"it does not":         {"one two three", 12, 0, "one two\n  three"},
		"something before it": {"one two three", 13, 7, "one\n  two three"},
		"only its first line has something before it": {"one\none two three", 13, 7, "one\none two three"},
		"its own lines stay":                          {"one two\nthree four", 9, 0, "one two\nthree\n  four"},
		"what is indented stays so":                   {"  one two three four", 12, 0, "  one two\n    three\n    four"},
		"what is lined up stays so":                   {"pod    a b c d e f", 13, 0, "pod    a b c\n  d e f"},
		"a long word stays whole":                     {"it is localhost/datastorage:suite-0c150c45 there", 20, 0, "it is\n  localhost/datastorage:suite-0c150c45\n  there"},
		"a long word at first":                        {"localhost/datastorage:suite-0c150c45 is there", 20, 0, "localhost/datastorage:suite-0c150c45\n  is there"},
		"colours take no room":                        {"a: \x1b[31mDrifted\x1b[39m: b c", 15, 0, "a: \x1b[31mDrifted\x1b[39m: b c"},
		"wide letters take two":                       {"映像 映像 映像", 12, 0, "映像 映像\n  映像"},
		"marks take none":                             {"e\u0301e\u0301 e\u0301e\u0301", 5, 0, "e\u0301e\u0301 e\u0301e\u0301"},
		"a hint stays whole":                          {"load it: kubectl e2eimage load datastorage -n tests", 20, 0, "load it: kubectl e2eimage load datastorage -n tests"},
		"an indented one, too":                        {"  kubectl e2eimage load datastorage -n tests", 20, 0, "  kubectl e2eimage load datastorage -n tests"},
		"several commands":                            {"mend it: kubectl e2eimage load a && kubectl e2eimage tag a", 20, 0, "mend it: kubectl e2eimage load a && kubectl e2eimage tag a"},
		"a command in a sentence": {
			"namespace x does not exist; create it with: kubectl create namespace x (or give --create-namespace)", 40, 0,
			"namespace x does not exist; create it\n  with: kubectl create namespace x (or\n  give --create-namespace)",
		},
		"one in brackets": {
			"does the cluster still answer (kind get clusters), and is it this?", 40, 0,
			"does the cluster still answer\n  (kind get clusters), and is it this?",
		},
		"one that is quoted": {
			"see what there is with 'kubectl e2eimage status -A' or others", 40, 0,
			"see what there is with\n  'kubectl e2eimage status -A' or others",
		},
		"one with quotes in it": {
			"this is more than a word or two before a command, so type: kubectl e2eimage tag a --source 'x; y, z'; that is it", 70, 0,
			"this is more than a word or two before a command, so type:\n  kubectl e2eimage tag a --source 'x; y, z'; that is it",
		},
		"a full stop ends one":        {"a b. Run: docker ps. Then do others", 24, 0, "a b. Run: docker ps.\n  Then do others"},
		"a folder does not":           {"run: docker build -t x . && kubectl get pods", 24, 0, "run: docker build -t x . && kubectl get pods"},
		"an engine that is spoken of": {"the engine docker cannot be asked by anyone", 24, 0, "the engine docker cannot\n  be asked by anyone"},
		"a number keeps its unit":     {"it sent 6.0 MB of 12 MB", 21, 0, "it sent 6.0 MB of\n  12 MB"},
		"nothing":                     {"", 10, 0, ""},
		"only blanks":                 {strings.Repeat(" ", 12), 10, 0, strings.Repeat(" ", 12)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, Fold(test.text, test.columns, test.first)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAStepWithWideLettersKeepsItsLine(t *testing.T) {
	t.Parallel()
	const doing = "Reading /home/用户/映像/datastorage-integration.tar"
	for _, columns := range []int{10, 30, 40, 80} {
		line := fit(frames[0]+" "+shortened(doing, ": 3 MB  5s", columns-3)+": 3 MB", "  5s", columns)
		if got := Width(line); got > columns-1 {
			t.Errorf("%d columns of %d: %q", got, columns, line)
		}
	}
}
