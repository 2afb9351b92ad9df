package engine

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

// removing is a docker that removes what it has.
func removing(t *testing.T, has map[string]bool, removed *[]string) host {
	return host{"docker image rm": func(argv []string, out io.Writer) error {
		name := argv[len(argv)-1]
		if !has[name] {
			return fails(t, "Error: No such image: "+name)(argv, out)
		}
		*removed = append(*removed, name)
		return nil
	}}
}

// killed leaves a folder behind as a process that was killed does.
func killed(t *testing.T, names ...string) string {
	t.Helper()
	s, err := newScratch(t.Context(), host{})
	for _, name := range names {
		if err == nil {
			err = s.note("docker", name)
		}
	}
	if err = errors.Join(err, s.held.Close()); err != nil {
		t.Fatal(err)
	}
	return s.dir
}

func TestWhatAKilledProcessLeftIsTakenAwayByTheNext(t *testing.T) {
	const build, push, foreign = temporaryBuild + "a", "127.0.0.1:40000/e2eimage:b", "localhost/somebody:dev"
	for name, test := range map[string]struct {
		names, has, removed []string
		age                 time.Duration
		stays               bool
	}{
		"no names":                         {},
		"a build's name":                   {names: []string{build}, has: []string{build}, removed: []string{build}},
		"a push's name":                    {names: []string{push}, has: []string{push}, removed: []string{push}},
		"a build that may not have ended":  {names: []string{build}, stays: true},
		"one that has ended without":       {names: []string{build}, age: 25 * time.Hour},
		"a name that is nobody's business": {names: []string{foreign}, has: []string{foreign}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			dir := killed(t, test.names...)
			then := time.Now().Add(-test.age)
			if err := os.Chtimes(dir, then, then); err != nil {
				t.Fatal(err)
			}
			has := map[string]bool{}
			for _, name := range test.has {
				has[name] = true
			}
			var removed []string
			s, err := newScratch(t.Context(), removing(t, has, &removed))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(dir); (err == nil) != test.stays {
				t.Errorf("the folder stays: %v", err == nil)
			}
			if !slices.Equal(removed, test.removed) {
				t.Errorf("removed %v, want %v", removed, test.removed)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAFolderThatIsInUseStays(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	first, err := newScratch(t.Context(), host{})
	if err == nil {
		err = first.note("docker", temporaryBuild+"a")
	}
	if err != nil {
		t.Fatal(err)
	}
	var removed []string
	second, err := newScratch(t.Context(), removing(t, map[string]bool{temporaryBuild + "a": true}, &removed))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(first.dir); err != nil || len(removed) > 0 {
		t.Errorf("%v; removed %v", err, removed)
	}
	if err := errors.Join(first.Close(), second.Close()); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestAFolderThatSomebodyElseLaidOutIsNotTrusted(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	elsewhere := t.TempDir()
	if err := os.WriteFile(filepath.Join(elsewhere, names), []byte("docker "+temporaryBuild+"a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(os.TempDir(), scratchPrefix+"link")); err != nil {
		t.Fatal(err)
	}
	var removed []string
	s, err := newScratch(t.Context(), removing(t, map[string]bool{temporaryBuild + "a": true}, &removed))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := os.Stat(filepath.Join(elsewhere, names)); err != nil || len(removed) > 0 {
		t.Errorf("%v; removed %v", err, removed)
	}
}

func TestABuildThatWasNamedIsNotLeftAfterwards(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	answers := host{
		"docker build":         prints(""),
		"docker image inspect": prints(`[{"Id":"` + oneID + `","Os":"linux","Architecture":"amd64","GraphDriver":{"Name":"overlay2"}}]`),
		"docker image rm":      prints(""),
	}
	found, err := Build(t.Context(), answers, BuildSpec{Engine: "docker", Context: "/c"})
	if err != nil {
		t.Fatal(err)
	}
	// Until its name goes, whoever kills the process leaves a note of it.
	text, err := os.ReadFile(filepath.Join(found.temporary.dir, names))
	if err != nil || strings.TrimSpace(string(text)) != "docker "+found.Reference {
		t.Errorf("noted is %q, %v", text, err)
	}
	if err := found.Remove(t.Context(), answers); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestABuildByAnEngineThatIsNotThereLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	absent := func(argv []string, _ io.Writer) error {
		return &hostexec.CommandError{Argv: argv, Err: exec.ErrNotFound}
	}
	answers := host{"docker build": absent, "docker image rm": absent}
	if _, err := Build(t.Context(), answers, BuildSpec{Engine: "docker", Context: "/c"}); !errors.Is(err, exec.ErrNotFound) {
		t.Error(err)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestANameThatStaysIsTriedAgainByTheNext(t *testing.T) {
	for what, begun := range map[string]func(host) error{
		"a build that fails": func(answers host) error {
			_, err := Build(t.Context(), answers, BuildSpec{Engine: "docker", Context: "/c"})
			return err
		},
		"a push": func(answers host) error {
			p, err := Image{Engine: "docker", EngineID: oneID, Names: []string{"localhost/x:dev"}}.startPushing(t.Context(), answers)
			if err == nil {
				err = p.close(t.Context())
			}
			return err
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			answers := host{
				"docker build":           fails(t, "it is broken"),
				"docker tag":             prints(""),
				"docker context inspect": prints("unix:///run/docker.sock"),
				"docker image rm":        fails(t, "Cannot connect to the Docker daemon"),
			}
			if begun(answers) == nil {
				t.Error("no error")
			}
			var removed string
			answers["docker image rm"] = func(argv []string, _ io.Writer) error {
				removed = argv[len(argv)-1]
				return nil
			}
			sweep(t.Context(), answers)
			if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 || !isTemporary(removed) {
				t.Errorf("left are %v, %v; removed %q", left, err, removed)
			}
			// What the engine does not have leaves nothing.
			answers["docker image rm"] = fails(t, "Error: No such image")
			_ = begun(answers)
			if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
				t.Errorf("left are %v, %v", left, err)
			}
		})
	}
}
