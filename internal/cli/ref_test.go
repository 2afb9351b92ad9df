package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func TestRefAndCleanCommandLinesBecomeInputs(t *testing.T) {
	t.Parallel()
	named := config.Suite{
		Consumer: "suite", Namespace: "ns", KindCluster: "dev", Provider: "docker",
		Images: []config.Image{plain("a"), plain("b")},
	}
	const flags = " a b --consumer suite -n ns --kind-cluster dev --provider docker"
	becomeInputs(t, map[string]inputTest[e2eimage.RefInput]{
		"ref": {line: "ref" + flags, want: e2eimage.RefInput{Suite: named}},
	}, func(l *library) []e2eimage.RefInput { return l.ref })
	keep := 0
	becomeInputs(t, map[string]inputTest[e2eimage.CleanInput]{
		"clean":                      {line: "clean" + flags, want: e2eimage.CleanInput{Suite: named}},
		"clean by force":             {line: "clean --force" + flags, want: e2eimage.CleanInput{Suite: named, Force: true}},
		"clean in a dry run":         {line: "clean --dry-run" + flags, want: e2eimage.CleanInput{Suite: named, DryRun: true}},
		"clean in one of the client": {line: "clean --dry-run=client" + flags, want: e2eimage.CleanInput{Suite: named, DryRun: true}},
		"clean in none":              {line: "clean --dry-run=none --force" + flags, want: e2eimage.CleanInput{Suite: named, Force: true}},
		"clean what is old": {
			line: "clean --keep 0 --older-than 24h --scope cluster" + flags,
			want: e2eimage.CleanInput{Suite: named, Keep: &keep, OlderThan: 24 * time.Hour, Scope: e2eimage.ScopeCluster},
		},
	}, func(l *library) []e2eimage.CleanInput { return l.clean })
}

func TestTheOutputFileIsRelativeToTheWorkingFolder(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.read = recordedOne()
	c.write("out/.keep", "")
	c.done("ref datastorage -o env --output-file out/images.env")
	text, err := os.ReadFile(filepath.Join(c.dir, "out", "images.env"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "DATASTORAGE_TAG=suite-a1b2c3d4\n") || c.out.Len() > 0 {
		t.Errorf("file:\n%s\nstdout:\n%s", text, c.out.String())
	}
}

func TestTheOutputFileMayBeAbsolute(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.read = recordedOne()
	path := filepath.Join(t.TempDir(), "image")
	c.done("ref datastorage --output-file " + path)
	if text, err := os.ReadFile(path); err != nil || string(text) != "localhost/datastorage:suite-a1b2c3d4\n" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestTheOutputFileIsReplacedWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.read = recordedOne()
	c.write("images.env", "old\n")
	path := filepath.Join(c.dir, "images.env")
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	c.done("ref datastorage -o env --output-file images.env")
	// Whoever had it open still reads the old content: it was not written over.
	old := make([]byte, 16)
	if n, _ := reader.Read(old); string(old[:n]) != "old\n" {
		t.Errorf("a reader saw %q", old[:n])
	}
	c.library.err = os.ErrPermission
	c.fails("ref datastorage -o json --output-file images.env", exitFailed)
	if text, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(text), "DATASTORAGE_IMAGE=") {
		t.Errorf("a failed command left %q, %v", text, err)
	}
	if left, _ := filepath.Glob(filepath.Join(c.dir, ".*")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestAnOutputFileThatCannotBeWrittenFailsTheCommand(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.read = recordedOne()
	c.fails("ref datastorage --output-file none/images.env", exitFailed, "none")
}

func TestHelmKeysOfImagesThatDisagreeAreInconsistent(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.read = recordedTwo()
	c.config(twoImagesFile + "helm: {global.image.tag: '{{.Tag}}'}\n")
	c.fails("ref -o helm", exitInconsistent, "global.image.tag", `"suite-1" for datastorage`, `"suite-2" for gateway`)
}

func TestHelmForSeveralImagesNeedsTheConfig(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.read = recordedTwo()
	c.fails("ref datastorage gateway -o helm", exitUsage, "helm:")
}
