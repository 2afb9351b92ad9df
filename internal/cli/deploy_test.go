package cli

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func TestDeployCommandLinesBecomeInputs(t *testing.T) {
	t.Parallel()
	const none, client, server = e2eimage.DryRunNone, e2eimage.DryRunClient, e2eimage.DryRunServer
	tests := map[string]inputTest[e2eimage.DeployInput]{
		"a name alone is deployment/NAME with the defaults": {
			line: "deploy datastorage",
			want: e2eimage.DeployInput{DryRun: none, Suite: config.Suite{Images: []config.Image{plain("datastorage")}}},
		},
		"every flag": {
			line: "deploy a --workload sts/one,ns/ds/two --workload deploy/three --container x --container y,z --pull-policy Never" +
				" --timeout 5m --max-restarts 0 --take-over --dry-run=server",
			want: e2eimage.DeployInput{DryRun: server, TakeOver: true, Suite: config.Suite{Images: []config.Image{
				with(plain("a"), func(i *config.Image) {
					i.Deploy = config.Deploy{
						Workloads: []string{"sts/one", "ns/ds/two", "deploy/three"}, Containers: []string{"x", "y", "z"},
						PullPolicy: "Never", Timeout: 5 * time.Minute, MaxRestarts: 0,
					}
				}),
			}}},
		},
		"--dry-run alone is client": {
			line: "deploy a --dry-run",
			want: e2eimage.DeployInput{DryRun: client, Suite: config.Suite{Images: []config.Image{plain("a")}}},
		},
		"the file says how": {
			line: "deploy --consumer full", file: suitesFile,
			want: e2eimage.DeployInput{DryRun: none, Suite: config.Suite{
				Consumer: "full", KindCluster: "full-e2e", Namespace: "kubernaut-system", File: "DIR/e2eimage.yaml",
				Helm: map[string]string{"global.image.tag": "{{.Tag}}"}, Images: []config.Image{storage()},
			}},
		},
		"flags win over the file": {
			line: "deploy --consumer full --workload deploy/x --container c --pull-policy Never --timeout 1s --max-restarts 1", file: suitesFile,
			want: e2eimage.DeployInput{DryRun: none, Suite: config.Suite{
				Consumer: "full", KindCluster: "full-e2e", Namespace: "kubernaut-system", File: "DIR/e2eimage.yaml",
				Helm: map[string]string{"global.image.tag": "{{.Tag}}"},
				Images: []config.Image{with(storage(), func(i *config.Image) {
					i.Deploy = config.Deploy{
						Workloads: []string{"deploy/x"}, Containers: []string{"c"}, PullPolicy: "Never", Timeout: time.Second, MaxRestarts: 1,
					}
				})},
			}},
		},
	}
	becomeInputs(t, tests, func(l *library) []e2eimage.DeployInput { return l.deploy })
}

func TestUpTakesWhatDeployTakes(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.done("up a --source localhost/a:dev --repository localhost/b --workload sts/one --container x --pull-policy Never --max-restarts 7 --timeout 5m --replace --take-over")
	got := c.library.up[0]
	want := with(plain("a"), func(i *config.Image) {
		i.Source, i.Repository = "localhost/a:dev", "localhost/b"
		i.Deploy = config.Deploy{Workloads: []string{"sts/one"}, Containers: []string{"x"}, PullPolicy: "Never", Timeout: 5 * time.Minute, MaxRestarts: 7}
	})
	if diff := cmp.Diff([]config.Image{want}, got.Suite.Images, cmpopts.EquateEmpty()); diff != "" || !got.Replace || !got.TakeOver {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
