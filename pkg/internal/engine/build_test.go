package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

func TestBuildsBecomeCommandLines(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spec      BuildSpec
		argv, env []string
	}{
		"the least": {BuildSpec{Engine: "podman", Context: "/c"}, []string{"podman", "build", "--iidfile", "ID", "--", "/c"}, nil},
		"everything": {
			BuildSpec{
				Engine: "docker", Context: "/c", File: "/f", Target: "t", Platform: "linux/arm64", NoCache: true, Flags: []string{"--pull"},
				Args: map[string]string{"B": "b $(x)", "A": "s3cret"},
			},
			[]string{"docker", "build", "--tag", "NAME", "--file", "/f", "--target", "t", "--platform", "linux/arm64", "--build-arg", "A", "--build-arg", "B", "--no-cache", "--pull", "--", "/c"},
			[]string{"A=s3cret", "B=b $(x)", "BUILDX_NO_DEFAULT_ATTESTATIONS=1"},
		},
		"an argument that the engine would take for its own": {
			BuildSpec{Engine: "docker", Context: "/c", Args: map[string]string{"DOCKER_HOST": "x", "PATH": "/bin"}},
			[]string{"docker", "build", "--tag", "NAME", "--build-arg", "DOCKER_HOST=x", "--build-arg", "PATH=/bin", "--", "/c"},
			[]string{"BUILDX_NO_DEFAULT_ATTESTATIONS=1"},
		},
		"a context that looks like a flag": {BuildSpec{Engine: "podman", Context: "-c"}, []string{"podman", "build", "--iidfile", "ID", "--", "-c"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			argv, env := test.spec.command("ID", "NAME")
			if diff := cmp.Diff([][]string{test.argv, test.env}, [][]string{argv, env}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if line := test.spec.CommandLine(); strings.Contains(line, "s3cret") || strings.Contains(line, "=x") {
				t.Errorf("for people it is %s", line)
			}
		})
	}
}

func TestABuildIsTakenByItsID(t *testing.T) {
	t.Parallel()
	id := "sha256:" + strings.Repeat("a", 64)
	answers := host{
		"engine build": func(argv []string, out io.Writer) error {
			fmt.Fprintln(out, "STEP 1")
			return os.WriteFile(argv[slices.Index(argv, "--iidfile")+1], []byte(id+"\n"), 0o600)
		},
		"engine image inspect -- " + id: prints(`[{"Id":"` + id + `","Os":"linux","Architecture":"amd64","Created":""}]`),
	}
	var said strings.Builder
	found, err := Build(t.Context(), answers, BuildSpec{Engine: "engine", Context: "/c", Output: &said})
	if err != nil || found.EngineID != id || said.String() != "STEP 1\n" || !found.Created.IsZero() {
		t.Errorf("built %+v, %v; it said %q", found, err, said.String())
	}
}

func TestABuildThatDoesNotSayWhatItBuiltHasFailed(t *testing.T) {
	t.Parallel()
	for name, said := range map[string]string{"nothing": "", "a name": "localhost/x:dev", "a warning": "WARNING: old\n" + oneID, "a part": oneID[:20]} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers := host{
				"podman build": func(argv []string, _ io.Writer) error {
					return os.WriteFile(argv[slices.Index(argv, "--iidfile")+1], []byte(said), 0o600)
				},
				"podman image inspect": imageOf(oneID, `,"ManifestType":"x"`),
			}
			found, err := Build(t.Context(), answers, BuildSpec{Engine: "podman", Context: "/c"})
			if err == nil || !strings.Contains(err.Error(), "podman did not say which image it built") {
				t.Errorf("built %+v, %v", found, err)
			}
		})
	}
}

func TestABuildThatFailsSaysItsLastLines(t *testing.T) {
	t.Parallel()
	answers := host{"engine build": func(_ []string, out io.Writer) error {
		for i := range 1000 {
			fmt.Fprintf(out, "line %d\n", i)
		}
		return errors.New("broken")
	}}
	_, err := Build(t.Context(), answers, BuildSpec{Engine: "engine", Context: "/c"})
	var failed *BuildError
	if !errors.As(err, &failed) || !strings.HasSuffix(failed.Said, "line 999") || !strings.HasPrefix(failed.Said, "line ") || len(failed.Said) > keptBytes {
		t.Errorf("error %v", err)
	}
}

func TestABuildIsBegunAgainWhereTheCacheLostSomething(t *testing.T) {
	t.Parallel()
	for _, said := range []string{
		"Error: checking if cached image exists from a previous build: getting top layer info: layer not known",
		`unable to find image "` + oneID + `"`,
	} {
		id, tries := "sha256:"+strings.Repeat("a", 64), 0
		answers := host{
			"engine build": func(argv []string, out io.Writer) error {
				if tries++; tries == 1 {
					fmt.Fprintln(out, said)
					return errors.New("exit status 125")
				}
				return os.WriteFile(argv[slices.Index(argv, "--iidfile")+1], []byte(id), 0o600)
			},
			"engine image inspect -- " + id: prints(`[{"Id":"` + id + `","Os":"linux","Architecture":"amd64"}]`),
		}
		if found, err := Build(t.Context(), answers, BuildSpec{Engine: "engine", Context: "/c"}); err != nil || found.EngineID != id || tries != 2 {
			t.Errorf("built %+v, %v, after %d tries", found, err, tries)
		}
	}
}

func TestABuildByDockerThatIsCutOffLeavesNoName(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	var name, removed string
	answers := host{
		"docker build": func(argv []string, _ io.Writer) error {
			name = argv[slices.Index(argv, "--tag")+1]
			cancel(stopped)
			return nil
		},
		"docker image inspect": prints(`[{"Id":"` + oneID + `","Os":"linux","Architecture":"amd64"}]`),
		"docker image rm": func(argv []string, _ io.Writer) error {
			removed = argv[len(argv)-1]
			return nil
		},
	}
	if _, err := Build(ctx, answers, BuildSpec{Engine: "docker", Context: "/c"}); !errors.Is(err, stopped) || name == "" || removed != name {
		t.Errorf("error %v; named %q, removed %q", err, name, removed)
	}
}

func TestABuildByDockerIsFoundByTheNameItGot(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()) // the name stays noted there until it is removed
	answers := host{
		"docker build":         prints(""),
		"docker image inspect": prints(`[{"Id":"` + oneID + `","RepoTags":["localhost/e2eimage-build:x"],"Os":"linux","Architecture":"amd64","GraphDriver":{"Name":"overlay2"}}]`),
	}
	found, err := Build(t.Context(), answers, BuildSpec{Engine: "docker", Context: "/c"})
	if err != nil || found.ImageID != oneID || !found.IsTemporary() || !strings.HasPrefix(found.Reference, "localhost/e2eimage-build:") {
		t.Errorf("built %+v, %v", found, err)
	}
}

func TestANameThatAnotherGivesAtTheSameTimeIsGivenAgain(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]int{
		"failed to create an image localhost/x:dev after deleting the existing one: already exists": nameTries,
		"No such image": 1,
	} {
		tries := 0
		answers := host{"docker tag": func([]string, io.Writer) error {
			tries++
			return &hostexec.CommandError{Stderr: said, Err: errors.New("exit status 1")}
		}}
		err := Image{Engine: "docker", EngineID: oneID}.Name(t.Context(), answers, "localhost/x:dev")
		if err == nil || tries != want {
			t.Errorf("%s: %v after %d tries, want %d", said, err, tries, want)
		}
	}
}

func TestABuildLeavesTheProductsOwnFolderOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"Dockerfile": "FROM scratch\n", "ignore": "*.log\n!keep.log"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		engine, ignoreFile, flag string
		files                    map[string]string
	}{
		"podman":                        {"podman", filepath.Join(dir, "ignore"), "--ignorefile ignore", map[string]string{"ignore": "*.log\n!keep.log\n**/.e2eimage\n"}},
		"podman without an ignore file": {"podman", "", "--ignorefile ignore", map[string]string{"ignore": "\n**/.e2eimage\n"}},
		"docker": {"docker", filepath.Join(dir, "ignore"), "--file Dockerfile", map[string]string{
			"Dockerfile": "FROM scratch\n", "Dockerfile.dockerignore": "*.log\n!keep.log\n**/.e2eimage\n",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scratch := t.TempDir()
			spec := BuildSpec{
				Engine: test.engine, Context: dir, Flags: []string{"--pull"},
				LeaveOut: &LeaveOut{IgnoreFile: test.ignoreFile, Pattern: "**/.e2eimage", Dockerfile: filepath.Join(dir, "Dockerfile")},
			}
			built, err := spec.leavingOut(scratch)
			if err != nil {
				t.Fatal(err)
			}
			if line := strings.ReplaceAll(built.CommandLine(), scratch+"/", ""); !strings.HasSuffix(line, "--pull "+test.flag+" -- "+dir) {
				t.Errorf("it runs %s", line)
			}
			for file, want := range test.files {
				text, err := os.ReadFile(filepath.Join(scratch, file))
				if err != nil || string(text) != want {
					t.Errorf("%s has %q, want %q: %v", file, text, want, err)
				}
			}
		})
	}
}
