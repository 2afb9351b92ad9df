package nearest

import (
	"strings"
	"testing"
)

func TestDistanceCountsLetters(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"tag", "", 3},
		{"", "tag", 3},
		{"tag", "tag", 0},
		{"tga", "tag", 2},
		{"deply", "deploy", 1},
		{"kitten", "sitting", 3},
	} {
		if got := Distance(test.a, test.b); got != test.want {
			t.Errorf("%q and %q are %d apart, want %d", test.a, test.b, got, test.want)
		}
	}
}

func TestTheNearestWordIsFound(t *testing.T) {
	t.Parallel()
	verbs := []string{"build", "load", "tag", "deploy", "up"}
	for _, test := range []struct {
		name, word string
		known      []string
		want       string
	}{
		{"one letter is missing", "deply", verbs, "deploy"},
		{"two letters changed places", "tga", verbs, "tag"},
		{"capitals do not matter", "LOAD", verbs, "load"},
		{"nothing is alike", "nosuch", verbs, ""},
		{"a short word is not replaced as a whole", "xy", verbs, ""},
		{"nothing is known", "tag", nil, ""},
		{"too many are known", "tga", make([]string, maxKnown+1), ""},
		{"the word is too long", strings.Repeat("x", maxKnown+1), verbs, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := Word(test.word, test.known); got != test.want {
				t.Errorf("%q is taken for %q, want %q", test.word, got, test.want)
			}
		})
	}
}
