package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// didSomething is a library whose verbs fail after they have done something.
func didSomething() library {
	const image = "localhost/a:1"
	return library{
		partly: true, err: errors.New("no"),
		tagged:   &e2eimage.TagResult{Images: []e2eimage.TaggedImage{{Name: "a", Image: image}}},
		read:     &e2eimage.Images{Images: []e2eimage.Ref{{Name: "a", Image: image}}},
		rendered: &e2eimage.RenderResult{Manifests: []e2eimage.Manifest{{Text: []byte(image)}}},
		built:    &e2eimage.BuildResult{Images: []e2eimage.BuiltImage{{Name: "a", Image: image}}},
		loaded:   &e2eimage.LoadResult{Images: []e2eimage.LoadedImage{{Name: "a", Image: image}}},
		upped:    &e2eimage.UpResult{Images: []e2eimage.Ref{{Name: "a", Image: image}}},
		deployed: &e2eimage.DeployResult{Workloads: []e2eimage.DeployedWorkload{{Name: "deployment.apps/a", Action: "configured"}}},
		cleaned:  &e2eimage.CleanResult{Images: []e2eimage.CleanedImage{{Name: "a", Removed: []string{image}}}},
		stated: &e2eimage.StatusResult{Namespace: "tests", Images: []e2eimage.ImageStatus{{
			Name: "a", State: e2eimage.StateStale, Problems: []e2eimage.Problem{{State: e2eimage.StateStale, Text: "old"}},
		}}},
	}
}

func TestWhatWasDoneIsPrintedAlsoWhereAVerbFailed(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"tag a": "", "ref a": "", "render a": "", "status": "", "tag a -o json": "", "ref a -o json": "", "status -o json": "",
		"build a": "localhost/a:1\n", "load --source a": "localhost/a:1\n", "up a": "localhost/a:1\n",
		"deploy a": "deployment.apps/a configured\n", "deploy a -o name": "deployment.apps/a\n",
		"clean a": "localhost/a:1 removed\n", "verify": "a: Stale: old\n",
		"build a -o name": "a\n", "load --source a -o name": "localhost/a:1\n", "up a -o name": "a\n",
		"deploy a -o jsonpath={.workloads[*].action}": "configured", "clean a -o name": "a\n", "verify -o name": "a\n",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.library = didSomething()
			if code := c.run(line); code != exitFailed || c.errOut.String() != "error: no\n" || c.out.String() != want {
				t.Errorf("exit code %d, stderr %q, stdout %q, want %q", code, c.errOut.String(), c.out.String(), want)
			}
		})
	}
}

func TestNothingIsPrintedOfABuildOrLoadWithoutImagesThatFailed(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"build a -o json", "load --source a -o json"} {
		c := newConsole(t)
		c.library.partly, c.library.err = true, errors.New("no")
		c.fails(line, exitFailed)
	}
}

func TestAVerbsErrorIsSaidBeforeThatOfPrinting(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"build a", "load --source a", "up a", "deploy a", "clean a", "verify"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.library = didSomething()
			c.fails(verb+" -o go-template={{.kind.x}}", exitUsage, "template")
			if said := c.errOut.String(); !strings.HasPrefix(said, "error: no\n") {
				t.Errorf("stderr %q", said)
			}
		})
	}
}
