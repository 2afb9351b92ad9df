package apt

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/host"
)

func TestEnsureDoesNothingWhenAllIsThere(t *testing.T) {
	err := Ensure(t.Context(), host.Facts{}, io.Discard, Need{Program: "ls", Packages: []string{"coreutils"}}, Need{File: "/"})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEnsureSaysWhatToInstall(t *testing.T) {
	needs := []Need{
		{Program: "ls", Packages: []string{"coreutils"}},
		{Program: "no-such-program", Packages: []string{"first", "second"}},
		{File: "/no/such/file", Packages: []string{"third"}},
	}
	for why, facts := range map[string]host.Facts{
		"not Debian or Ubuntu":  {Root: true},
		"installing needs root": {DebianLike: true},
	} {
		err := Ensure(t.Context(), facts, io.Discard, needs...)
		if err == nil {
			t.Fatal("no error")
		}
		for _, want := range []string{why, "no-such-program, /no/such/file", "first second third"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("no %q in: %v", want, err)
			}
		}
	}
}

func TestMissing(t *testing.T) {
	needs := []Need{{Program: "a", Packages: []string{"pa"}}, {Program: "b", Packages: []string{"pb", "pc"}}}
	got := missing(needs, func(n Need) bool { return n.Program == "a" })
	if !slices.Equal(got, []string{"pb", "pc"}) {
		t.Errorf("got %v", got)
	}
}
