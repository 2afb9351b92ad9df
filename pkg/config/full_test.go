package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEveryFieldOfAFullFileArrivesInTheSuite(t *testing.T) {
	t.Parallel()
	full, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	environment := variables{"ARTIFACTS": "out", "GOFLAGS": "-mod=mod"}
	first, dir := resolved(t, Flags{Consumer: "workflowexecution"}, environment, string(full))
	storage := Image{
		Name: "datastorage", Source: "localhost/kubernaut-datastorage:e2e-test-datastorage", Repository: "localhost/datastorage",
		TagTemplate: "{{.Consumer}}-{{.Random}}", Prebuilt: "docker-archive:" + filepath.Join(dir, "out/datastorage.tar"),
		Build: &Build{
			Dir: dir, Context: dir, Platform: "linux/amd64", File: filepath.Join(dir, "docker/datastorage.Dockerfile"), Args: map[string]string{"GOFLAGS": `{{env "GOFLAGS"}}`},
			Flags: map[string][]string{"podman": {}, "docker": {}},
		},
		Deploy: Deploy{Workloads: []string{"deployment/datastorage"}, Containers: []string{"datastorage"}, Timeout: 2 * time.Minute, MaxRestarts: 3},
	}
	want := Suite{
		Consumer: "workflowexecution", KindCluster: "workflowexecution-e2e", Namespace: "kubernaut-system", File: filepath.Join(dir, fileName),
		Engine: "podman", Prebuilt: PrebuiltPrefer, Freshness: FreshnessStrict, KeepPrevious: 5, LockDir: filepath.Join(dir, ".e2eimage"),
		Images: []Image{storage, {
			Name: "postgres", External: "docker.io/library/postgres:16", Pull: PullAlways, TagTemplate: "{{.Consumer}}-{{.Random}}",
			Deploy: Deploy{Workloads: []string{"deployment/postgres"}, Timeout: DefaultTimeout, MaxRestarts: DefaultMaxRestarts},
		}},
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("first suite (-want +got):\n%s", diff)
	}
	arguments, err := first.Images[0].Build.RenderArgs(TemplateValues{Environment: environment.lookup})
	if diff := cmp.Diff(map[string]string{"GOFLAGS": "-mod=mod"}, arguments); diff != "" || err != nil {
		t.Errorf("arguments: %v (-want +got):\n%s", err, diff)
	}

	second, err := Resolve(Flags{Consumer: "fullpipeline"}, environment.lookup, dir)
	want = Suite{
		Consumer: "fullpipeline", Namespace: "kubernaut-system", TagGroup: "chart", WaitFor: []string{"deployment/ingress", "kafka/statefulset/broker"}, File: filepath.Join(dir, fileName), Images: []Image{storage},
		Engine: "podman", Prebuilt: PrebuiltPrefer, Freshness: FreshnessStrict, KeepPrevious: 5, LockDir: filepath.Join(dir, ".e2eimage"),
		Helm: map[string]string{"global.image.tag": "{{.Tag}}", "datastorage.image.repository": "{{.Repository}}"},
	}
	if diff := cmp.Diff(want, second); diff != "" || err != nil {
		t.Errorf("second suite: %v (-want +got):\n%s", err, diff)
	}
}

func TestWhatADeploySaysGoesFlagThenFileThenDefault(t *testing.T) {
	t.Parallel()
	const file = header + "images: [{name: a, deploy: {workloads: [job/a], containers: [c], pullPolicy: Never, timeout: 5m, maxRestarts: 0}}, {name: b, deploy: {workloads: []}}]\n"
	minute, seven := time.Minute, 7
	tests := map[string]struct {
		flags Flags
		want  Deploy
	}{
		"the file":                     {Flags{Names: []string{"a"}}, Deploy{[]string{"job/a"}, []string{"c"}, "Never", 5 * time.Minute, 0}},
		"nothing to deploy is nothing": {Flags{Names: []string{"b"}}, Deploy{[]string{}, nil, "", DefaultTimeout, DefaultMaxRestarts}},
		"flags": {
			Flags{Names: []string{"a"}, Workloads: []string{"ns/sts/x"}, Containers: []string{"d"}, PullPolicy: "IfNotPresent", Timeout: &minute, MaxRestarts: &seven},
			Deploy{[]string{"ns/sts/x"}, []string{"d"}, "IfNotPresent", time.Minute, 7},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite, _ := resolved(t, test.flags, nil, file)
			if diff := cmp.Diff(test.want, suite.Images[0].Deploy); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
