package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func TestLoadCommandLinesBecomeInputs(t *testing.T) {
	t.Parallel()
	sourced := func(name, source string) config.Image {
		return with(plain(name), func(i *config.Image) { i.Source = source })
	}
	tests := map[string]inputTest[e2eimage.LoadInput]{
		"a source is enough": {
			line: "load --source localhost/team/data_storage:dev",
			want: e2eimage.LoadInput{Suite: config.Suite{Images: []config.Image{sourced("data-storage", "localhost/team/data_storage:dev")}}},
		},
		"everything said": {
			line: "load datastorage --source - --engine podman --release --dry-run",
			want: e2eimage.LoadInput{
				Suite: config.Suite{Images: []config.Image{sourced("datastorage", "-")}, Engine: "podman"}, Release: true, DryRun: true,
			},
		},
		"an image of the file": {
			line: "load gateway --consumer workflow", file: suitesFile,
			want: e2eimage.LoadInput{Suite: config.Suite{
				Consumer: "workflow", KindCluster: "workflow-e2e", Namespace: "kubernaut-system", File: "DIR/e2eimage.yaml", Part: true,
				Images: []config.Image{with(plain("gateway"), func(i *config.Image) {
					i.Source, i.TagTemplate = "docker-archive:DIR/out/gateway.tar", "{{.Name}}-{{.Random}}"
				})},
			}},
		},
	}
	becomeInputs(t, tests, func(l *library) []e2eimage.LoadInput { return l.load }, "Stdin", "Suite.Others")
}

func TestLoadTakesImagesAsArguments(t *testing.T) {
	t.Parallel()
	type image struct {
		Name, Source string
		Loose        bool
	}
	tests := map[string]struct {
		line, file string
		want       []image
	}{
		"an image": {line: "load localhost/team/x:dev", want: []image{{"x", "localhost/team/x:dev", true}}},
		"several, of which two are called alike": {
			line: "load localhost/a/x:1 localhost/b/x:2 localhost/a/x:1",
			want: []image{{"x", "localhost/a/x:1", true}, {"x-2", "localhost/b/x:2", true}},
		},
		"a word without a config":     {line: "load redis", want: []image{{"redis", "redis", true}}},
		"an image with a tag only":    {line: "load redis:7", want: []image{{"redis-7", "redis:7", true}}},
		"an archive":                  {line: "load docker-archive:out/x.tar", want: []image{{"x-tar", "docker-archive:DIR/out/x.tar", true}}},
		"standard input":              {line: "load -", want: []image{{"image", "-", true}}},
		"a NAME where a lock is said": {line: "load x --lock y.lock", want: []image{{"x", "", false}}},
		"names and images together": {
			line: "load gateway localhost/other:dev --consumer workflow", file: suitesFile,
			want: []image{{"gateway", "docker-archive:DIR/out/gateway.tar", false}, {"other", "localhost/other:dev", true}},
		},
		"the source of a NAME is that NAME": {
			line: "load localhost/kubernaut-datastorage:e2e docker.io/library/postgres:16 --consumer workflow", file: suitesFile,
			want: []image{{"datastorage", "localhost/kubernaut-datastorage:e2e", false}, {"postgres", "", false}},
		},
		"an image that would be called like a NAME": {
			line: "load localhost/gateway:mine --consumer workflow", file: suitesFile,
			want: []image{{"gateway-2", "localhost/gateway:mine", true}},
		},
		"a word that is like no NAME": {line: "load redis --consumer workflow", file: suitesFile, want: []image{{"redis", "redis", true}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.config(test.file)
			c.done(test.line)
			var got []image
			for _, one := range c.library.load[0].Suite.Images {
				got = append(got, image{one.Name, strings.Replace(one.Source, c.dir, "DIR", 1), one.Loose})
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatMayBeTwoThingsIsToldInBothWays(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"load out/x.tar":                       {"load docker-archive:out/x.tar\n", "load --source out/x.tar\n"},
		"load /Out/X.tar":                      {"load docker-archive:/Out/X.tar\n"},
		"load x.tar.gz":                        {"load docker-archive:x.tar.gz\n", "load --source x.tar.gz\n"},
		"load gatewax --consumer full":         {`did you mean "gateway"?`, "load --source gatewax\n"},
		"load x@sha256:1":                      {"x@sha256:1"},
		"load Redis":                           {"lowercase letters"},
		"load X/y --source localhost/x":        {`NAME: "X/y" must be`},
		"tag localhost/x:dev":                  {"is it an image itself?"},
		"load x y --source localhost/x":        {"--source", "exactly one NAME"},
		"load localhost/x --nodes a --release": {"--nodes and --release cannot be given together"},
	} {
		c := newConsole(t)
		if strings.Contains(line, "--consumer") {
			c.config(suitesFile)
		}
		c.fails(line, exitUsage, want...)
		if c.library.calls() > 0 {
			t.Errorf("%s: %d calls of the library", line, c.library.calls())
		}
	}
}

func TestLoadTakesNodes(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.done("load localhost/x:dev --nodes dev-worker,dev-worker2 --nodes dev-control-plane")
	if diff := cmp.Diff([]string{"dev-worker", "dev-worker2", "dev-control-plane"}, c.library.load[0].Nodes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadPrintsTheNames(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.loaded = &e2eimage.LoadResult{Images: []e2eimage.LoadedImage{{Image: "localhost/a:dev"}, {Source: "-"}}}
	c.done("load --source localhost/a:dev")
	if got := c.out.String(); got != "localhost/a:dev\n" {
		t.Errorf("printed %q", got)
	}
}

func TestALoadMayTakeLong(t *testing.T) {
	t.Parallel()
	if flag := newApp(Host{}).loadCommand().Flag("timeout"); flag.DefValue != (15 * time.Minute).String() {
		t.Errorf("by default it takes %s", flag.DefValue)
	}
}

func TestLoadIntoNoNodesIsRefused(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	code := c.runArgs(t.Context(), "load", "localhost/x:dev", "--nodes", "")
	if code != exitUsage || !strings.Contains(c.errOut.String(), "--nodes is empty") || len(c.library.load) > 0 {
		t.Errorf("exit %d, %d calls: %s", code, len(c.library.load), c.errOut.String())
	}
}

func TestTheNamesOfWhatWasLoadedAreItsImages(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.loaded = &e2eimage.LoadResult{Images: []e2eimage.LoadedImage{{Name: "made-up", Image: "localhost/x:dev"}, {Name: "of-a-dry-run"}}}
	c.done("load localhost/x:dev -o name")
	if got := c.out.String(); got != "localhost/x:dev\n" {
		t.Errorf("%q", got)
	}
}
