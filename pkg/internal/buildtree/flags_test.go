package buildtree

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatFlagsAddToABuildsInputs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "Dockerfile", "ARG BASE=base\nFROM $BASE AS first\nFROM second\n")
	write(t, dir, "other", "FROM other\n")
	write(t, dir, "secret", "s")
	write(t, dir, "more/x", "x")
	path := func(name string) string { return filepath.Join(dir, name) }
	for flags, test := range map[string]struct {
		engine  string
		want    Tree
		bases   []string
		unknown string
	}{
		"":                                     {},
		"--quiet --label a=b -m 1g":            {},
		"--build-arg BASE=x":                   {},
		"--target first":                       {bases: []string{"base"}},
		"--target=first --build-arg=BASE=x":    {bases: []string{"x"}},
		"--file " + path("other"):              {want: Tree{Dockerfiles: []string{path("other")}}, bases: []string{"other"}},
		"-f" + path("other"):                   {want: Tree{Dockerfiles: []string{path("other")}}, bases: []string{"other"}},
		"-f other":                             {engine: podman, want: Tree{Dockerfiles: []string{path("other")}}, bases: []string{"other"}},
		"-f Dockerfile -f other":               {engine: podman, want: Tree{Dockerfiles: []string{path("Dockerfile"), path("other")}}, bases: []string{"other"}},
		"--ignorefile=" + path("ignore"):       {engine: podman, want: Tree{IgnoreFile: path("ignore")}},
		"--secret id=a,src=" + path("secret"):  {want: Tree{Also: []string{path("secret")}}},
		"--secret id=a,env=A":                  {unknown: "--secret"},
		"--secret id=a":                        {unknown: "--secret"},
		"--build-context more=" + path("more"): {want: Tree{Also: []string{path("more")}}},
		"--build-context more=oci-layout://" + path("more:x"): {want: Tree{Also: []string{path("more")}}},
		"--build-context more=docker-image://img:1":           {bases: []string{"img:1", "second"}},
		"--build-context more=https://example.com/x.git":      {unknown: "--build-context"},
		"--ssh default":              {unknown: "--ssh"},
		"--volume=/a:/b":             {unknown: "--volume"},
		"--build-arg-file=x":         {unknown: "--build-arg-file"},
		"--iidfile x":                {unknown: "--iidfile"},
		"--no-cache":                 {unknown: "--no-cache"},
		"--no-cache=false":           {},
		"--pull":                     {unknown: "--pull"},
		"--pull=never":               {},
		"--push":                     {unknown: "--push"},
		"--output=type=local,dest=x": {unknown: "--output"},
		"--from other":               {unknown: "--from"},
		"--build-arg BASE":           {unknown: "--build-arg BASE"},
		"--env A":                    {unknown: "--env A"},
		"-f -":                       {unknown: "Dockerfile is read from -"},
		"-f recipe_test.go":          {engine: podman, unknown: "in two folders"},
		"something":                  {unknown: "something"},
		"--secret":                   {},
	} {
		t.Run(flags, func(t *testing.T) {
			t.Parallel()
			if test.engine == "" {
				test.engine = docker
			}
			test.want.Engine, test.want.Context = test.engine, dir
			if test.bases == nil {
				test.bases = []string{"second"}
			}
			got := InputsOf(Build{Engine: test.engine, Context: dir, Flags: strings.Fields(flags)})
			if (got.Unknown != "") != (test.unknown != "") || !strings.Contains(got.Unknown, test.unknown) {
				t.Errorf("unknown is %q, want %q", got.Unknown, test.unknown)
			}
			if test.unknown != "" {
				return
			}
			if diff := cmp.Diff([]any{test.want, test.bases}, []any{got.Tree, got.Bases}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestASecretOfAFlagIsNotSaid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "Dockerfile", "FROM a\n")
	if got := InputsOf(Build{Engine: docker, Context: dir, Flags: []string{"--ssh=s3cret"}}).Unknown; got == "" || strings.Contains(got, "s3cret") {
		t.Errorf("it says %q", got)
	}
}

func TestWhatFlagsNameChangesATree(t *testing.T) {
	t.Parallel()
	for name, flag := range map[string]string{"a secret": "--secret=id=a,src=", "a folder": "--build-context=a=", "a Dockerfile": "--file="} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, other := t.TempDir(), t.TempDir()
			write(t, dir, "Dockerfile", "FROM a\n")
			write(t, other, "x/y", "FROM b\n")
			path := filepath.Join(other, "x", "y")
			if name == "a folder" {
				path = other
			}
			in := InputsOf(Build{Engine: docker, Context: dir, Flags: []string{flag + path}})
			metadata, content := digests(t, in.Tree)
			write(t, other, "x/y", "FROM c\n")
			if newMetadata, newContent := digests(t, in.Tree); newMetadata == metadata || newContent == content || in.Unknown != "" {
				t.Errorf("its change is not seen; unknown is %q", in.Unknown)
			}
		})
	}
}
