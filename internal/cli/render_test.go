package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func TestRenderReadsFilesFoldersAndStandardInput(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.write("one.yaml", "a: 1\n")
	c.write("dir/b.yml", "---\nb: 2")
	c.write("dir/a.json", "{}\n")
	c.write("dir/sub/c.yaml", "c: 3\n")
	c.write("dir/README", "no manifest")
	c.done("render x --annotate --from lock -f one.yaml -f dir")
	got := c.library.render[0]
	var names []string
	for _, one := range got.Manifests {
		names = append(names, one.Name)
	}
	if diff := cmp.Diff([]string{"one.yaml", "dir/a.json", "dir/b.yml", "dir/sub/c.yaml"}, names); diff != "" || !got.Annotate || got.From != e2eimage.UseLock {
		t.Errorf("annotate %v, from %s, files (-want +got):\n%s", got.Annotate, got.From, diff)
	}
	if diff := cmp.Diff("a: 1\n---\n{}\n---\nb: 2\n---\nc: 3\n", c.out.String()); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
	c = newConsole(t)
	c.done("render x")
	if got := c.library.render[0].Manifests; len(got) != 1 || got[0].Name != "" {
		t.Errorf("standard input is %+v", got)
	}
}

func TestManifestsThatAreNotThereAreSaidAtOnce(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.write("empty/README", "")
	code := c.run("render x -f none.yaml -f empty")
	if code != exitFailed || !strings.Contains(c.errOut.String(), "none.yaml") || !strings.Contains(c.errOut.String(), "empty has no file") || c.library.calls() > 0 {
		t.Errorf("exit %d: %s", code, c.errOut.String())
	}
}
