package cli

import (
	"path/filepath"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func TestTagCommandLinesBecomeInputs(t *testing.T) {
	t.Parallel()
	const id = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	tests := map[string]inputTest[e2eimage.TagInput]{
		"a name and its source": {
			line: "tag datastorage --source localhost/datastorage:dev",
			want: e2eimage.TagInput{Suite: config.Suite{Images: []config.Image{
				with(plain("datastorage"), func(i *config.Image) { i.Source = "localhost/datastorage:dev" }),
			}}},
		},
		"every flag": {
			line: "tag datastorage --source " + id + " --repository localhost/storage --tag v1 --create-namespace --dry-run=client" +
				" --consumer workflow --kind-cluster dev --provider podman -n tests",
			want: e2eimage.TagInput{
				Suite: config.Suite{
					Consumer: "workflow", KindCluster: "dev", Provider: "podman", Namespace: "tests",
					Images: []config.Image{with(plain("datastorage"), func(i *config.Image) {
						i.Source, i.Repository, i.Tag = id, "localhost/storage", "v1"
					})},
				},
				CreateNamespace: true, DryRun: true,
			},
		},
		"a template and a new tag": {
			line: "tag a b --tag-template {{.Name}}-{{.Unix}} --new",
			want: e2eimage.TagInput{New: true, Suite: config.Suite{Images: []config.Image{
				with(plain("a"), func(i *config.Image) { i.TagTemplate = "{{.Name}}-{{.Unix}}" }),
				with(plain("b"), func(i *config.Image) { i.TagTemplate = "{{.Name}}-{{.Unix}}" }),
			}}},
		},
		"a name given twice is one": {
			line: "tag a b a",
			want: e2eimage.TagInput{Suite: config.Suite{Images: []config.Image{plain("a"), plain("b")}}},
		},
		"--dry-run alone is client": {
			line: "tag a --dry-run",
			want: e2eimage.TagInput{DryRun: true, Suite: config.Suite{Images: []config.Image{plain("a")}}},
		},
		"--dry-run=none is none": {
			line: "tag a --dry-run=none",
			want: e2eimage.TagInput{Suite: config.Suite{Images: []config.Image{plain("a")}}},
		},
		"the environment says what flags do not": {
			line: "tag a --namespace flag",
			environment: map[string]string{
				"E2EIMAGE_CONSUMER": "suite", "KIND_CLUSTER_NAME": "kinds", "E2EIMAGE_NAMESPACE": "env",
				"KIND_EXPERIMENTAL_PROVIDER": "podman",
			},
			want: e2eimage.TagInput{Suite: config.Suite{
				Consumer: "suite", KindCluster: "kinds", Namespace: "flag", ProviderHint: "podman", Images: []config.Image{plain("a")},
			}},
		},
		"our own variable for the Kind cluster goes before kind's": {
			line:        "tag a",
			environment: map[string]string{"E2EIMAGE_KIND_CLUSTER": "ours", "KIND_CLUSTER_NAME": "kinds"},
			want:        e2eimage.TagInput{Suite: config.Suite{KindCluster: "ours", Images: []config.Image{plain("a")}}},
		},
		"without a name the images of the suite, in its order": {
			line: "tag --consumer workflow", file: suitesFile,
			want: e2eimage.TagInput{Suite: config.Suite{
				Consumer: "workflow", KindCluster: "workflow-e2e", Namespace: "kubernaut-system", File: "DIR/e2eimage.yaml",
				Images: []config.Image{
					with(plain("gateway"), func(i *config.Image) {
						i.Source, i.TagTemplate = "docker-archive:DIR/out/gateway.tar", "{{.Name}}-{{.Random}}"
					}),
					storage(),
					with(plain("postgres"), func(i *config.Image) {
						i.External, i.TagTemplate = "docker.io/library/postgres:16", "{{.Name}}-{{.Random}}"
					}),
				},
			}},
		},
		"flags win over the file": {
			line: "tag datastorage --consumer full --source localhost/x:y --repository localhost/z --tag-template v{{.Unix}} -n other", file: suitesFile,
			want: e2eimage.TagInput{Suite: config.Suite{
				Consumer: "full", KindCluster: "full-e2e", Namespace: "other", File: "DIR/e2eimage.yaml", Part: true,
				Helm: map[string]string{"global.image.tag": "{{.Tag}}"},
				Images: []config.Image{with(storage(), func(i *config.Image) {
					i.Source, i.Repository, i.TagTemplate = "localhost/x:y", "localhost/z", "v{{.Unix}}"
				})},
			}},
		},
		"the Kind cluster picks the suite": {
			line: "tag", file: suitesFile, environment: map[string]string{"E2EIMAGE_KIND_CLUSTER": "full-e2e"},
			want: e2eimage.TagInput{Suite: config.Suite{
				Consumer: "full", KindCluster: "full-e2e", Namespace: "kubernaut-system", File: "DIR/e2eimage.yaml",
				Helm: map[string]string{"global.image.tag": "{{.Tag}}"}, Images: []config.Image{storage()},
			}},
		},
	}
	becomeInputs(t, tests, func(l *library) []e2eimage.TagInput { return l.tag }, "Values")
}

func TestTheConfigFileIsFoundAsAsked(t *testing.T) {
	t.Parallel()
	const file = "apiVersion: e2eimage.dev/v1alpha1\nkind: Config\nimages:\n- {name: a, source: 'docker-archive:a.tar'}\n"
	tests := map[string]struct {
		at          string
		line        string
		environment map[string]string
	}{
		"by flag, relative to the working folder": {at: "sub/mine.yaml", line: "tag --config sub/mine.yaml"},
		"by variable":                       {at: "sub/mine.yaml", line: "tag", environment: map[string]string{"E2EIMAGE_CONFIG": "sub/mine.yaml"}},
		"the flag goes before the variable": {at: "mine.yaml", line: "tag --config mine.yaml", environment: map[string]string{"E2EIMAGE_CONFIG": "none.yaml"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.environment = test.environment
			c.write(test.at, file)
			c.done(test.line)
			suite := c.library.tag[0].Suite
			path := filepath.Join(c.dir, test.at)
			if want := "docker-archive:" + filepath.Join(filepath.Dir(path), "a.tar"); suite.File != path || suite.Images[0].Source != want {
				t.Errorf("file %s, source %s; want %s, %s", suite.File, suite.Images[0].Source, path, want)
			}
		})
	}
}

func TestTheKubeContextReachesTheLibrary(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.done("tag a --context kind-dev")
	if c.library.options.Context != "kind-dev" || c.library.options.Kube == nil {
		t.Errorf("options %+v", c.library.options)
	}
}
