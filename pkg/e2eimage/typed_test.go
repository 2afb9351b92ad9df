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

func TestErrorsOfRecordsSuggestCommandsAsTheyAreTypedHere(t *testing.T) {
	t.Parallel()
	flags := []string{"--config", "my suite.yaml", "--context", "kind-dev", "--kind-cluster", "dev"}
	for name, test := range map[string]struct {
		hints         config.Hints
		clean, create string
	}{
		"nothing is known": {
			config.Hints{},
			"kubectl e2eimage clean datastorage -n tests --consumer suite --scope=cluster\n",
			"kubectl create namespace tests (",
		},
		"the file says where": {
			config.Hints{Namespace: "tests", Consumer: "suite"},
			"kubectl e2eimage clean datastorage --scope=cluster\n",
			"kubectl create namespace tests (",
		},
		"the user says which cluster": {
			config.Hints{Namespace: "tests", Consumer: "suite", Flags: flags},
			"kubectl e2eimage clean datastorage --config 'my suite.yaml' --context kind-dev --kind-cluster dev --scope=cluster\n",
			"kubectl create namespace tests --context kind-dev (",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.tagged("suite")
			b.tamper("suite")
			s := suite("suite", "datastorage")
			s.Hints = test.hints
			_, err := b.client().Ref(t.Context(), RefInput{Suite: s})
			is[*InconsistentError](t, err, test.clean)
			s.Images[0].Name = "other"
			_, err = newBench(t).client().Up(t.Context(), UpInput{Suite: s})
			says(t, err, "namespace \"tests\" does not exist; create it with: "+test.create)
		})
	}
}
