package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheFileIsLookedForUpToTheRootOfTheRepository(t *testing.T) {
	t.Parallel()
	const file = header + "images: [{name: a, source: 'docker-archive:a.tar'}]\n"
	tests := map[string]struct {
		files       []string
		in          string
		flag        string
		environment variables
		want        string
	}{
		"in the working folder":                      {files: []string{"repo/.git/HEAD", "repo/e2eimage.yaml"}, in: "repo", want: "repo/e2eimage.yaml"},
		"above it":                                   {files: []string{"repo/.git/HEAD", "repo/e2eimage.yaml"}, in: "repo/a/b", want: "repo/e2eimage.yaml"},
		"the nearest":                                {files: []string{"repo/.git/HEAD", "repo/e2eimage.yaml", "repo/a/e2eimage.yaml"}, in: "repo/a/b", want: "repo/a/e2eimage.yaml"},
		"not above the repository":                   {files: []string{"repo/.git/HEAD", "e2eimage.yaml"}, in: "repo/a"},
		"a worktree has .git as a file":              {files: []string{"repo/.git", "e2eimage.yaml"}, in: "repo/a"},
		"outside a repository in the folder only":    {files: []string{"e2eimage.yaml"}, in: "a"},
		"in the working folder outside a repository": {files: []string{"a/e2eimage.yaml"}, in: "a", want: "a/e2eimage.yaml"},
		"by flag, before everything": {
			files: []string{"repo/.git/HEAD", "repo/e2eimage.yaml", "x.yaml", "y.yaml"}, in: "repo", flag: "../x.yaml",
			environment: variables{"E2EIMAGE_CONFIG": "../y.yaml"}, want: "x.yaml",
		},
		"by variable": {
			files: []string{"repo/.git/HEAD", "repo/e2eimage.yaml", "y.yaml"}, in: "repo",
			environment: variables{"E2EIMAGE_CONFIG": "../y.yaml"}, want: "y.yaml",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			for _, path := range test.files {
				put(t, filepath.Join(root, path), file)
			}
			dir := filepath.Join(root, test.in)
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			suite, err := Resolve(Flags{ConfigPath: test.flag, Names: []string{"a"}}, test.environment.lookup, dir)
			if err != nil {
				t.Fatal(err)
			}
			want, source := "", ""
			if test.want != "" {
				want = filepath.Join(root, test.want)
				source = "docker-archive:" + filepath.Join(filepath.Dir(want), "a.tar")
			}
			if suite.File != want || suite.Images[0].Source != source {
				t.Errorf("got file %q and source %q, want %q and %q", suite.File, suite.Images[0].Source, want, source)
			}
		})
	}
}

func TestAFileThatWasAskedForHasToBeThere(t *testing.T) {
	t.Parallel()
	dir := workplace(t, "")
	for where, test := range map[string]struct {
		flags       Flags
		environment variables
	}{
		"--config":        {Flags{ConfigPath: "none.yaml", Names: []string{"a"}}, nil},
		"E2EIMAGE_CONFIG": {Flags{Names: []string{"a"}}, variables{"E2EIMAGE_CONFIG": "none.yaml"}},
	} {
		_, err := Resolve(test.flags, test.environment.lookup, dir)
		if want := where + ": no file " + filepath.Join(dir, "none.yaml"); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	_, err := Resolve(Flags{ConfigPath: "."}, nil, dir)
	if err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a folder as config: got %v", err)
	}
}
