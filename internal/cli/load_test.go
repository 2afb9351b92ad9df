package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func TestLoadCommandLinesBecomeInputs(t *testing.T) {
	t.Parallel()
	sourced := func(name, source string) config.Image {
		return with(plain(name), func(i *config.Image) { i.Source = source })
	}
	tests := map[string]struct {
		line, file string
		want       e2eimage.LoadInput
	}{
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
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			if test.file != "" {
				c.write("e2eimage.yaml", test.file)
			}
			c.done(test.line)
			test.want.Suite = suiteInDir(test.want.Suite, c.dir)
			if diff := cmp.Diff([]e2eimage.LoadInput{test.want}, c.library.load,
				cmpopts.IgnoreFields(e2eimage.LoadInput{}, "Stdin"), cmpopts.IgnoreFields(config.Suite{}, "Others"), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNamesAreMadeOfSources(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"localhost/x/Data_Storage:dev": "data-storage", "oci:out/layout": "layout", "-": "image", "registry:5000/x@sha256:1": "x",
		"docker-archive:/tmp/data.tar": "data-tar", "localhost/" + strings.Repeat("x", 70): strings.Repeat("x", 63),
	} {
		if got := nameOf(source); got != want {
			t.Errorf("%s is called %s, want %s", source, got, want)
		}
	}
}

func TestWhatKindLoadTakesIsToldAsASource(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"load localhost/x:dev":          "\n  kubectl e2eimage load --source localhost/x:dev\n",
		"load x:dev localhost/y":        "\n  kubectl e2eimage load --source x:dev\n  kubectl e2eimage load --source localhost/y\n",
		"load x@sha256:1":               "\n  kubectl e2eimage load --source x@sha256:1\n",
		"load out/x.tar":                "\n  kubectl e2eimage load --source docker-archive:out/x.tar\n",
		"load x.tar.gz":                 "\n  kubectl e2eimage load --source docker-archive:x.tar.gz\n",
		"load oci:folder":               "\n  kubectl e2eimage load --source oci:folder\n",
		"load X/y --source localhost/x": "NAME: \"X/y\" must be",
		"tag localhost/x:dev":           "is it an image itself?",
	} {
		c := newConsole(t)
		if code := c.run(line); code != exitUsage || !strings.Contains(c.errOut.String(), want) || c.library.calls() > 0 {
			t.Errorf("%s: exit %d: %s", line, code, c.errOut.String())
		}
	}
}

func TestLoadPrintsTheNames(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.loaded = &e2eimage.LoadResult{Images: []e2eimage.LoadedImage{{Image: "localhost/a:dev"}, {Source: "-"}}}
	c.done("load --source localhost/a:dev")
	if got := c.out.String(); got != "localhost/a:dev\n-\n" {
		t.Errorf("printed %q", got)
	}
}

func TestALoadMayTakeLong(t *testing.T) {
	t.Parallel()
	if flag := newApp(Host{}).loadCommand().Flag("timeout"); flag.DefValue != (15 * time.Minute).String() {
		t.Errorf("by default it takes %s", flag.DefValue)
	}
}
