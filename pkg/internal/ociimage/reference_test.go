package ociimage

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const someDigest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestNormalizeSpellsReferencesAsContainerdDoes(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]string{
		"x":                           "docker.io/library/x:latest",
		"x:t":                         "docker.io/library/x:t",
		"team/x:t":                    "docker.io/team/x:t",
		"docker.io/x:t":               "docker.io/library/x:t",
		"docker.io/library/x:t":       "docker.io/library/x:t",
		"index.docker.io/team/x:t":    "docker.io/team/x:t",
		"localhost/x:t":               "localhost/x:t",
		"localhost/x":                 "localhost/x:latest",
		"localhost:5000/x":            "localhost:5000/x:latest",
		"ghcr.io/team/x:t":            "ghcr.io/team/x:t",
		"x@" + someDigest:             "docker.io/library/x@" + someDigest,
		"localhost/x:t@" + someDigest: "localhost/x@" + someDigest,
	} {
		got, err := Normalize(ref)
		if err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", ref, got, err, want)
		}
	}
}

func TestNormalizeRefusesWhatIsNoReference(t *testing.T) {
	t.Parallel()
	for _, ref := range []string{"", ":", "X", "localhost/X:t", "x:", "x y", "-x", "x:-t", "https://x", "x@sha256:1", strings.Repeat("a", 64)} {
		if got, err := Normalize(ref); err == nil {
			t.Errorf("%q is taken for %s", ref, got)
		}
		if got, err := Candidates(ref); err == nil {
			t.Errorf("%q has candidates %v", ref, got)
		}
		if got := Repository(ref); got != "" {
			t.Errorf("%q has the repository %q", ref, got)
		}
	}
}

func TestCandidatesAreWhatEitherEngineMeans(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string][]string{
		"x":                     {"docker.io/library/x:latest", "localhost/x:latest"},
		"x:t":                   {"docker.io/library/x:t", "localhost/x:t"},
		"team/x:t":              {"docker.io/team/x:t", "localhost/team/x:t"},
		"x:5000":                {"docker.io/library/x:5000", "localhost/x:5000"},
		"localhost/x:t":         {"localhost/x:t"},
		"localhost:5000/x:t":    {"localhost:5000/x:t"},
		"docker.io/library/x:t": {"docker.io/library/x:t"},
		"docker.io/x:t":         {"docker.io/library/x:t"},
		"ghcr.io/x:t":           {"ghcr.io/x:t"},
		"host:1/x":              {"host:1/x:latest"},
	} {
		got, err := Candidates(ref)
		if err != nil {
			t.Errorf("%s: %v", ref, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", ref, diff)
		}
	}
}

func TestJoinAndSplitAreEachOthersReverse(t *testing.T) {
	t.Parallel()
	for _, test := range [][3]string{
		{"localhost/x", "t", "localhost/x:t"},
		{"localhost:5000/team/x", "0123", "localhost:5000/team/x:0123"},
		{"docker.io/library/x", "_.-", "docker.io/library/x:_.-"},
		{"ghcr.io/team/x", strings.Repeat("a", 128), "ghcr.io/team/x:" + strings.Repeat("a", 128)},
	} {
		image, err := Join(test[0], test[1])
		if err != nil || image != test[2] {
			t.Errorf("%s and %s give %s, %v", test[0], test[1], image, err)
		}
		repository, tag, err := Split(image)
		if err != nil || repository != test[0] || tag != test[1] {
			t.Errorf("%s splits into %s and %s, %v", image, repository, tag, err)
		}
		if got := Repository(image); got != test[0] {
			t.Errorf("%s has the repository %s", image, got)
		}
	}
}

func TestAShortRepositoryIsQualified(t *testing.T) {
	t.Parallel()
	if image, err := Join("x", "t"); err != nil || image != "docker.io/library/x:t" {
		t.Errorf("%s, %v", image, err)
	}
}

func TestJoinRefusesWhatCannotBeAnImage(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ repository, tag, says string }{
		"no repository":                {"", "t", `repository ""`},
		"a repository with a tag":      {"localhost/x:1", "t", "give it without"},
		"a repository with a digest":   {"localhost/x@" + someDigest, "t", "give it without"},
		"capitals in the repository":   {"localhost/X", "t", `repository "localhost/X"`},
		"no tag":                       {"localhost/x", "", `tag ""`},
		"a tag that starts with a dot": {"localhost/x", ".t", `tag ".t"`},
		"a tag with a slash":           {"localhost/x", "a/b", `tag "a/b"`},
		"a tag with a line break":      {"localhost/x", "a\nb", "tag"},
		"a tag that is too long":       {"localhost/x", strings.Repeat("a", 129), "at most 128"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			image, err := Join(test.repository, test.tag)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%q, %v", image, err)
			}
		})
	}
}

func TestSplitRefusesWhatHasNoTag(t *testing.T) {
	t.Parallel()
	for _, image := range []string{"", "localhost/x", "localhost/x@" + someDigest, "localhost/X:t"} {
		if repository, tag, err := Split(image); err == nil {
			t.Errorf("%q splits into %s and %s", image, repository, tag)
		}
	}
}

func TestImageIDsComeWithAndWithoutTheAlgorithm(t *testing.T) {
	t.Parallel()
	for _, id := range []string{someDigest, strings.TrimPrefix(someDigest, "sha256:")} {
		if got, ok := ParseImageID(id); !ok || got != someDigest {
			t.Errorf("%s: %s, %v", id, got, ok)
		}
	}
	for _, id := range []string{"", "sha256:", "sha256:0123", someDigest[:len(someDigest)-1], someDigest + "0", strings.ToUpper(someDigest), "sha512:" + someDigest[7:], someDigest + "\n", "x@" + someDigest} {
		if got, ok := ParseImageID(id); ok || got != "" {
			t.Errorf("%q is taken for %s", id, got)
		}
	}
}

func TestShortIDsHaveTwelveDigits(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		someDigest: "sha256:0123456789ab", strings.TrimPrefix(someDigest, "sha256:"): "sha256:0123456789ab", "sha256:01": "sha256:01", "": "sha256:",
	} {
		if got := ShortID(id); got != want {
			t.Errorf("%q becomes %q, want %q", id, got, want)
		}
	}
}

func TestReferencesAreAlikeByTheirLastComponent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"localhost/datastorage:dev", "quay.io/team/kubernaut-datastorage:v1", true},
		{"localhost/x:dev", "localhost/x:other", true},
		{"localhost/team/x:dev", "localhost/team/y:dev", false},
		{"no reference at all!", "localhost/x:dev", false},
	} {
		if got := Alike(test.a, test.b); got != test.want || got != Alike(test.b, test.a) {
			t.Errorf("%s and %s: %t, want %t", test.a, test.b, got, test.want)
		}
	}
}

func TestAReferenceWithTagAndDigestFitsTheTag(t *testing.T) {
	t.Parallel()
	one, other := "@sha256:"+strings.Repeat("1", 64), "@sha256:"+strings.Repeat("2", 64)
	for _, test := range []struct {
		ref, known string
		want       Match
	}{
		{"r.example/x:1" + one, "r.example/x:1", Fully},
		{"r.example/x:1", "r.example/x:1" + one, Fully},
		{"r.example/x:1" + one, "r.example/x:1" + one, Fully},
		{"r.example/x:1" + one, "r.example/x:1" + other, ByRepository},
		{"r.example/x:1" + one, "r.example/x:2", ByRepository},
		{"r.example/x" + one, "r.example/x" + one, Fully},
		{"r.example/x" + one, "r.example/x:1", ByRepository},
		{"r.example/x", "r.example/x:latest", Fully},
	} {
		if got := MatchReference(test.ref, test.known); got != test.want {
			t.Errorf("%s and %s: %v instead of %v", test.ref, test.known, got, test.want)
		}
	}
}
