package cli

import (
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// A script that reads stdout gets what is decided already, and nothing else.
func TestADryRunPrintsNoNameThatIsNotDecided(t *testing.T) {
	t.Parallel()
	const stays, drawn = "localhost/gateway:suite-1a2b3c4d", "localhost/datastorage:suite-<random>"
	for _, verb := range []string{"tag", "build", "up", "load"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.config("apiVersion: e2eimage.dev/v1alpha1\nkind: Config\nconsumer: suite\nimages:\n- {name: datastorage, source: localhost/datastorage:dev}\n")
			c.library.tagged = &e2eimage.TagResult{Images: []e2eimage.TaggedImage{{Name: "gateway", Image: stays}, {Name: "datastorage", Planned: drawn}}}
			c.library.built = &e2eimage.BuildResult{Images: []e2eimage.BuiltImage{{Name: "gateway", Image: stays}, {Name: "datastorage", Planned: drawn}}}
			c.library.upped = &e2eimage.UpResult{Images: []e2eimage.Ref{{Name: "gateway", Image: stays}}, Built: c.library.built.Images}
			c.library.loaded = &e2eimage.LoadResult{Images: []e2eimage.LoadedImage{{Name: "gateway", Image: stays}, {Name: "datastorage", Source: "docker-archive:x.tar.gz"}}}
			c.done(verb + " --dry-run")
			if got := c.out.String(); got != stays+"\n" {
				t.Errorf("stdout has %q", got)
			}
			want := ""
			if verb == "tag" || verb == "build" {
				want = drawn + " (dry run)\n"
			}
			if got := c.errOut.String(); got != want {
				t.Errorf("stderr has %q, want %q", got, want)
			}
		})
	}
}
