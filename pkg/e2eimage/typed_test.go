package e2eimage

import (
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

func TestSourcesStandQuotedInCommands(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"localhost/x:dev":               " --source localhost/x:dev",
		"docker-archive:/my app/x.tar":  " --source 'docker-archive:/my app/x.tar'",
		"x; rm -rf ~":                   " --source 'x; rm -rf ~'",
		"x && kubectl delete namespace": " --source SOURCE",
		"-":                             " --source SOURCE",
	} {
		if got := sourced(source); got != want {
			t.Errorf("%s: %q, want %q", source, got, want)
		}
	}
}

func TestASourceThatNoFileSaysIsSaidInTheCommandsThatLoadAndTag(t *testing.T) {
	t.Parallel()
	image := config.Image{Name: "app", Source: "localhost/app:dev"}
	k := &comparison{image: image, host: hostAnswer{source: image.Source}}
	for file, want := range map[string]string{
		"":              "load and tag it: kubectl e2eimage load app --source localhost/app:dev && kubectl e2eimage tag app --source localhost/app:dev",
		"e2eimage.yaml": "load and tag it: kubectl e2eimage load app && kubectl e2eimage tag app",
	} {
		if got := k.loadAndTag(config.Suite{File: file}); got != want {
			t.Errorf("file %q: %s\nwant %s", file, got, want)
		}
	}
}

func TestCommandsRepeatNoDefaults(t *testing.T) {
	t.Parallel()
	known := config.Suite{Hints: config.Hints{Namespace: "tests", Cluster: "dev", Only: "suite"}}
	for _, test := range []struct{ verb, namespace, consumer, want string }{
		{"tag", "tests", "dev", "kubectl e2eimage tag a"},
		{"tag", "tests", "suite", "kubectl e2eimage tag a --consumer suite"},
		{"deploy", "tests", "suite", "kubectl e2eimage deploy a"},
		{"deploy", "other", "dev", "kubectl e2eimage deploy a -n other --consumer dev"},
	} {
		if got := typedAt(test.verb, "a", test.namespace, test.consumer, known); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}
