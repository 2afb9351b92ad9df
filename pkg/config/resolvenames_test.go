package config

import (
	"strings"
	"testing"
)

func TestNamesAreMadeOfSources(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"localhost/x/Data_Storage:dev": "data-storage", "oci:out/layout": "layout", "-": "image", "registry:5000/x@sha256:1": "x",
		"docker-archive:/tmp/data.tar": "data-tar", "localhost/" + strings.Repeat("x", 70): strings.Repeat("x", 63),
	} {
		if got := NameOf(source); got != want {
			t.Errorf("%s is called %s, want %s", source, got, want)
		}
	}
}

func TestHintsRepeatWhatTheFileDoesNotSay(t *testing.T) {
	t.Parallel()
	const file = `apiVersion: e2eimage.dev/v1alpha1
kind: Config
images: [{name: a}]
suites:
- {consumer: x, kindCluster: x-e2e, namespace: tests, images: [a]}
- {consumer: y, namespace: tests, images: [a]}
`
	for _, test := range []struct {
		name        string
		flags       Flags
		environment variables
		want        Hints
	}{
		{"with several suites the consumer has to be said", Flags{Consumer: "x"}, nil, Hints{}},
		{
			"unless the Kind cluster says it",
			Flags{KindCluster: "x-e2e", Repeat: []string{"--kind-cluster", "x-e2e"}},
			nil,
			Hints{Consumer: "x", Namespace: "tests", Flags: []string{"--kind-cluster", "x-e2e"}},
		},
		{"a variable is no file", Flags{}, variables{"E2EIMAGE_CONSUMER": "x", "E2EIMAGE_NAMESPACE": "other"}, Hints{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			suite, _ := resolved(t, test.flags, test.environment, file)
			if got := suite.Hints; got.Consumer != test.want.Consumer || got.Namespace != test.want.Namespace || strings.Join(got.Flags, " ") != strings.Join(test.want.Flags, " ") {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}
