package e2eimage

import (
	"slices"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

func TestCommandsThatMendComeInTheirOrder(t *testing.T) {
	t.Parallel()
	const flags = " -n ns --consumer c"
	ours := func(text string) string { return ourCommand + text + flags }
	broken := func(name string, used bool, mends ...string) ImageStatus {
		image := ImageStatus{Name: name, Consumer: "c"}
		for _, mend := range mends {
			image.Problems = append(image.Problems, Problem{mend: mend})
		}
		if used {
			image.Workloads = []WorkloadStatus{{Name: "deployment.apps/" + name}}
		}
		return image
	}
	file := config.Suite{File: "e2eimage.yaml", Images: []config.Image{{Name: "a", Source: "localhost/a:dev"}, {Name: "b", Source: "localhost/b:dev"}}}
	tests := map[string]struct {
		suite  config.Suite
		images []ImageStatus
		want   []string
	}{
		"nothing is wrong": {images: []ImageStatus{broken("a", true)}},
		"time mends it":    {images: []ImageStatus{broken("a", true, "")}},
		"one command does": {file, []ImageStatus{broken("a", true, ours("deploy a"), ours("deploy a"))}, []string{ours("deploy a")}},
		"load and tag come before deploy": {
			config.Suite{},
			[]ImageStatus{broken("a", true, ours("deploy a"), ours("load a")+" && "+ours("tag a"))},
			[]string{ours("load a"), ours("tag a"), ours("deploy a")},
		},
		"deploy follows tag, else pods run the tag of before": {config.Suite{}, []ImageStatus{broken("a", true, ours("tag a"))}, []string{ours("tag a"), ours("deploy a")}},
		"tag alone is enough where nothing runs it":           {config.Suite{}, []ImageStatus{broken("a", false, ours("tag a"))}, []string{ours("tag a")}},
		"tag follows load":    {config.Suite{}, []ImageStatus{broken("a", false, ours("load a"))}, []string{ours("load a"), ours("tag a")}},
		"up does it all":      {file, []ImageStatus{broken("a", true, ours("deploy a"), ours("load a")+" && "+ours("tag a"))}, []string{ours("up a")}},
		"up does it for both": {file, []ImageStatus{broken("a", true, ours("build a")), broken("b", true, ours("load b"))}, []string{ours("up a b")}},
		"up with the source that load has": {
			config.Suite{}, []ImageStatus{broken("a", true, ours("load a")+" --source x && "+ours("tag a"))}, []string{ours("up a") + " --source x"},
		},
		"sources are of one image": {
			config.Suite{},
			[]ImageStatus{broken("a", false, ours("load a")+" --source x"), broken("b", false, ours("load b")+" --source x")},
			[]string{ours("load a") + " --source x", ours("load b") + " --source x", ours("tag a b")},
		},
		"workloads are of one image": {
			config.Suite{},
			[]ImageStatus{broken("a", true, ours("deploy a")+" --workload x/y"), broken("b", true, ours("deploy b")+" --workload x/y")},
			[]string{ours("deploy a") + " --workload x/y", ours("deploy b") + " --workload x/y"},
		},
		"up does not go to other workloads": {
			file,
			[]ImageStatus{broken("a", true, ours("tag a"), ours("deploy a")+" --workload deployment/x")},
			[]string{ours("tag a"), ours("deploy a") + " --workload deployment/x"},
		},
		"a record that cannot be used goes first": {file, []ImageStatus{broken("b", true, ours("deploy b")), broken("a", true, ours("clean a"))}, []string{ours("clean a"), ours("deploy b")}},
		"other programs come last":                {file, []ImageStatus{broken("a", true, "kubectl delete pod x -n ns", ours("deploy a"))}, []string{ours("deploy a"), "kubectl delete pod x -n ns"}},
		"orphans have no name":                    {file, []ImageStatus{broken("a", false, ourCommand+"clean --orphans -n ns")}, []string{ourCommand + "clean --orphans -n ns"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := &statusRun{in: StatusInput{Suite: test.suite}, kube: &apiServer{namespace: "ns"}}
			var steps []mending
			for _, image := range test.images {
				steps = append(steps, run.mend(image)...)
			}
			if got := commandsOf(steps); !slices.Equal(got, test.want) {
				t.Errorf("\n%q, want\n%q", got, test.want)
			}
		})
	}
}
