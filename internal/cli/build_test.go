package cli

import (
	"testing"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func TestBuildCommandLinesBecomeInputs(t *testing.T) {
	t.Parallel()
	becomeInputs(t, map[string]inputTest[e2eimage.BuildInput]{
		"the least": {line: "build a", want: e2eimage.BuildInput{Suite: config.Suite{Images: []config.Image{plain("a")}}, Timeout: e2eimage.DefaultBuildTimeout}},
		"everything": {
			line: "build a --engine docker --prebuilt require --tag v1 --parallel 4 --dry-run --build-timeout 5m --lock my.yaml --consumer c -- --pull --squash",
			want: e2eimage.BuildInput{
				Suite: config.Suite{
					Consumer: "c", Engine: "docker", Prebuilt: config.PrebuiltRequire, Lock: "DIR/my.yaml",
					Images: []config.Image{with(plain("a"), func(i *config.Image) { i.Tag = "v1" })},
				},
				Flags: []string{"--pull", "--squash"}, Parallel: 4, DryRun: true, Timeout: 5 * time.Minute,
			},
		},
		"a new tag": {line: "build a --new --build-timeout 0", want: e2eimage.BuildInput{Suite: config.Suite{Images: []config.Image{plain("a")}}, New: true}},
	}, func(l *library) []e2eimage.BuildInput { return l.build }, "Values")
}

func TestUpCommandLinesBecomeInputs(t *testing.T) {
	t.Parallel()
	becomeInputs(t, map[string]inputTest[e2eimage.UpInput]{
		"the least": {line: "up a", want: e2eimage.UpInput{Suite: config.Suite{Images: []config.Image{plain("a")}}, BuildTimeout: e2eimage.DefaultBuildTimeout}},
		"everything": {
			line: "up a --engine podman --prebuilt ignore --skip-build --parallel 1 --build-timeout 1m --use lock --allow-stale --take-over --create-namespace --timeout 9s --dry-run",
			want: e2eimage.UpInput{
				Suite: config.Suite{
					Engine: "podman", Prebuilt: config.PrebuiltIgnore,
					Images: []config.Image{with(plain("a"), func(i *config.Image) { i.Deploy.Timeout = 9 * time.Second })},
				},
				SkipBuild: true, Parallel: 1, BuildTimeout: time.Minute, Use: e2eimage.UseLock, AllowStale: true, TakeOver: true, CreateNamespace: true, DryRun: true,
			},
		},
	}, func(l *library) []e2eimage.UpInput { return l.up }, "Values")
}

func TestFlagsThatDecideConflictsReachTheLibrary(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.done("tag a --source localhost/a:dev --use cluster --allow-stale")
	c.done("deploy a --use lock --allow-stale")
	c.done("ref a --from lock")
	c.done("clean a --scope host")
	if got := c.library.tag[0]; got.Use != e2eimage.UseCluster || !got.AllowStale {
		t.Errorf("tag got %+v", got)
	}
	if got := c.library.deploy[0]; got.Use != e2eimage.UseLock || !got.AllowStale {
		t.Errorf("deploy got %+v", got)
	}
	if c.library.ref[0].From != e2eimage.UseLock || c.library.clean[0].Scope != e2eimage.ScopeHost {
		t.Errorf("ref got %+v, clean %+v", c.library.ref[0], c.library.clean[0])
	}
}

func TestBuildsPrintTheirImagesAlsoWhenOneFails(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.built = &e2eimage.BuildResult{Images: []e2eimage.BuiltImage{{Name: "a", Image: "localhost/a:suite-1"}}}
	c.done("build a")
	c.library.upped = &e2eimage.UpResult{Images: []e2eimage.Ref{{Image: "localhost/b:suite-2"}}}
	c.done("up a")
	if got, want := c.out.String(), "localhost/a:suite-1\nlocalhost/b:suite-2\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}
