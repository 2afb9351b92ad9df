package cli

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func TestAFailureIsExplainedWhereItWasAskedFor(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		line        string
		environment map[string]string
		err         error
		want        string // folder, "" for none
	}{
		"deploy":                      {"deploy a --artifacts out", nil, broken, "DIR/out"},
		"up":                          {"up a --artifacts /out", nil, broken, "/out"},
		"verify":                      {"verify --artifacts out/x", nil, &e2eimage.InconsistentError{Err: broken}, "DIR/out/x"},
		"by the environment":          {"deploy a", map[string]string{"E2EIMAGE_ARTIFACTS": "out"}, broken, "DIR/out"},
		"the flag goes first":         {"deploy a --artifacts out", map[string]string{"E2EIMAGE_ARTIFACTS": "other"}, broken, "DIR/out"},
		"nobody asked":                {"deploy a", nil, broken, ""},
		"nothing failed":              {"deploy a --artifacts out", nil, nil, ""},
		"the command line is wrong":   {"deploy a --artifacts out", nil, &e2eimage.UsageError{Err: broken}, ""},
		"a verb that explains itself": {"tag a", map[string]string{"E2EIMAGE_ARTIFACTS": "out"}, broken, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.environment, c.library.err = test.environment, test.err
			c.run(test.line)
			if test.want == "" {
				if len(c.library.diagnose) > 0 {
					t.Errorf("it explained %+v", c.library.diagnose)
				}
				return
			}
			want := test.want
			if rest, in := cutDir(want); in {
				want = filepath.Join(c.dir, rest)
			}
			if got := c.library.diagnose; len(got) != 1 || got[0].Dir != want || !errors.Is(got[0].Failure, broken) {
				t.Errorf("it explained %+v, want one in %s", got, want)
			}
		})
	}
}

func cutDir(path string) (rest string, in bool) {
	rest, err := filepath.Rel("DIR", path)
	return rest, err == nil && !filepath.IsAbs(path)
}
