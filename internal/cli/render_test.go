package cli

import (
	"os"
	"path/filepath"
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
	c.done("render x --annotate --from lock -f one.yaml -f dir -R")
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
	c.done("render x -f dir")
	if got := c.library.render[1].Manifests; len(got) != 2 {
		t.Errorf("without -R it has %+v", got)
	}
	c = newConsole(t)
	c.done("render x")
	if got := c.library.render[0].Manifests; len(got) != 1 || got[0].Name != "" {
		t.Errorf("standard input is %+v", got)
	}
}

func TestManifestsAreFoundAsKubectlFindsThem(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	for _, path := range []string{"releases/42/b.yaml", "releases/42/a.yaml", "releases/42/sub/c.yml", "releases/42/README.md", "odd[1]*/d.yaml"} {
		c.write(path, "a: b\n")
	}
	for link, target := range map[string]string{"current": "releases/42", "releases/42/linked.yaml": "../../odd[1]*/d.yaml", "file": "releases/42/README.md"} {
		if err := os.Symlink(target, filepath.Join(c.dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for line, want := range map[string][]string{
		"-f current":                {"current/a.yaml", "current/b.yaml", "current/linked.yaml"},
		"-f current/":               {"current/a.yaml", "current/b.yaml", "current/linked.yaml"},
		"-f current -R":             {"current/a.yaml", "current/b.yaml", "current/linked.yaml", "current/sub/c.yml"},
		"-f releases/42/*.yaml":     {"releases/42/a.yaml", "releases/42/b.yaml", "releases/42/linked.yaml"},
		"-f current/[ab].yaml":      {"current/a.yaml", "current/b.yaml"},
		"-f releases/4?":            {"releases/42/a.yaml", "releases/42/b.yaml", "releases/42/linked.yaml"},
		"-f odd[1]*":                {"odd[1]*/d.yaml"},
		"-f file":                   {"file"},
		"-f " + c.dir + "/cur*":     {c.dir + "/current/a.yaml", c.dir + "/current/b.yaml", c.dir + "/current/linked.yaml"},
		"-f current,odd[1]*/d.yaml": {"current/a.yaml", "current/b.yaml", "current/linked.yaml", "odd[1]*/d.yaml"},
	} {
		c.library.render = nil
		c.done("render x " + line)
		var names []string
		for _, one := range c.library.render[0].Manifests {
			names = append(names, one.Name)
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
	for line, want := range map[string]string{
		"render x -f current/*.json": "there is no such file or folder", "render x -f [": "is no valid pattern", "render x -f https://example.com/x.yaml": "curl -fsSLO https://example.com/x.yaml",
	} {
		c.fails(line, exitFailed, want)
	}
}

func TestManifestsThatAreNotThereAreSaidAtOnce(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.write("empty/README", "")
	c.write("deep/er/a.yaml", "")
	c.fails("render x -f none.yaml -f empty -f deep", exitFailed, "none.yaml", "empty has no file",
		"-R also reads the folders in it")
	if c.library.calls() > 0 {
		t.Errorf("%d calls of the library", c.library.calls())
	}
}

func TestKustomizationsAreBuilt(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.write("overlay/kustomization.yaml", "namePrefix: e2e-\nresources: [a.yaml]\n")
	c.write("overlay/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
	c.done("deploy x -k overlay --force-conflicts --replace")
	got := c.library.deploy[0]
	if len(got.Manifests) != 1 || got.Manifests[0].Name != "overlay" || !strings.Contains(string(got.Manifests[0].Text), "name: e2e-a\n") || !got.ForceConflicts || !got.Replace {
		t.Errorf("deploy got %+v", got)
	}
	for _, line := range []string{"deploy x -f a -k b", "render x -k a -R", "deploy x -f a --workload deploy/x", "deploy x -k a --container c"} {
		c.fails(line, exitUsage, "cannot be given together")
	}
}
