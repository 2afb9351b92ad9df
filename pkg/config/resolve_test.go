package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const header = "apiVersion: e2eimage.dev/v1alpha1\nkind: Config\n"

// workplace is a repository with, when given, a config in its root.
func workplace(t *testing.T, config string) string {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, ".git", "HEAD"), "ref: refs/heads/main\n")
	if config != "" {
		put(t, filepath.Join(dir, fileName), config)
	}
	return dir
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

type variables map[string]string

func (v variables) lookup(key string) (string, bool) {
	value, ok := v[key]
	return value, ok
}

func resolved(t *testing.T, flags Flags, environment variables, config string) (suite Suite, dir string) {
	t.Helper()
	dir = workplace(t, config)
	suite, err := Resolve(flags, environment.lookup, dir)
	if err != nil {
		t.Fatalf("Resolve: %v", err)
	}
	return suite, dir
}

// refused expects exactly these lines.
func refused(t *testing.T, flags Flags, environment variables, config string, want ...string) {
	t.Helper()
	_, err := Resolve(flags, environment.lookup, workplace(t, config))
	var usage *UsageError
	if !errors.As(err, &usage) {
		t.Fatalf("want a *UsageError, have %v", err)
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const twoImages = header + "images:\n- {name: a, source: localhost/a:1}\n- {name: b, source: localhost/b:1}\n"

func TestFlagsGoBeforeVariablesBeforeTheFileBeforeDefaults(t *testing.T) {
	t.Parallel()
	const file = twoImages + "consumer: file\nkindCluster: file-e2e\nnamespace: file-ns\ntag: file-{{.Random}}\n"
	everything := variables{
		"E2EIMAGE_CONSUMER": "env", "E2EIMAGE_KIND_CLUSTER": "env-e2e", "KIND_CLUSTER_NAME": "kinds",
		"E2EIMAGE_NAMESPACE": "env-ns", "KIND_EXPERIMENTAL_PROVIDER": "podman",
	}
	type outcome struct{ Consumer, KindCluster, Namespace, Provider, Hint, Template string }
	tests := map[string]struct {
		flags       Flags
		environment variables
		file        string
		want        outcome
	}{
		"nothing said": {Flags{Names: []string{"a"}}, nil, "", outcome{Template: DefaultTagTemplate}},
		"the file":     {Flags{}, nil, file, outcome{"file", "file-e2e", "file-ns", "", "", "file-{{.Random}}"}},
		"variables":    {Flags{}, everything, file, outcome{"env", "env-e2e", "env-ns", "", "podman", "file-{{.Random}}"}},
		"flags": {
			Flags{Consumer: "flag", KindCluster: "flag-e2e", Namespace: "flag-ns", Provider: "docker", TagTemplate: "flag-{{.Unix}}"},
			everything, file,
			outcome{"flag", "flag-e2e", "flag-ns", "docker", "podman", "flag-{{.Unix}}"},
		},
		"kind's own variable for its cluster": {
			Flags{},
			variables{"KIND_CLUSTER_NAME": "kinds"},
			file,
			outcome{"file", "kinds", "file-ns", "", "", "file-{{.Random}}"},
		},
		"an empty variable says nothing": {
			Flags{},
			variables{"E2EIMAGE_CONSUMER": "", "E2EIMAGE_KIND_CLUSTER": "", "E2EIMAGE_NAMESPACE": "", "E2EIMAGE_CONFIG": ""},
			file,
			outcome{"file", "file-e2e", "file-ns", "", "", "file-{{.Random}}"},
		},
		"a wrong variable does not matter beside a flag": {
			Flags{Consumer: "flag", Namespace: "flag-ns"},
			variables{"E2EIMAGE_CONSUMER": "$(id)", "E2EIMAGE_NAMESPACE": "A B"},
			file,
			outcome{"flag", "file-e2e", "flag-ns", "", "", "file-{{.Random}}"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite, _ := resolved(t, test.flags, test.environment, test.file)
			got := outcome{suite.Consumer, suite.KindCluster, suite.Namespace, suite.Provider, suite.ProviderHint, suite.Images[0].TagTemplate}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

const three = `suites:
- {consumer: workflow, kindCluster: shared, namespace: one, images: [b]}
- {consumer: full, kindCluster: shared}
- {consumer: own, kindCluster: own-e2e, tagGroup: chart, helm: {image.tag: '{{.Tag}}'}}
`

func TestTheSuiteIsChosenByConsumerThenByKindCluster(t *testing.T) {
	t.Parallel()
	type outcome struct{ Consumer, KindCluster, Namespace, TagGroup, Images string }
	tests := map[string]struct {
		flags       Flags
		environment variables
		file        string
		want        outcome
	}{
		"a single one at top level": {
			Flags{}, nil, twoImages + "consumer: top\nkindCluster: k\ntagGroup: g\n", outcome{"top", "k", "", "g", "a b"},
		},
		"a single one at top level for whoever asks": {
			Flags{Consumer: "other"}, nil, twoImages + "consumer: top\n", outcome{"other", "", "", "", "a b"},
		},
		"nothing said about suites":       {Flags{}, nil, twoImages, outcome{"", "", "", "", "a b"}},
		"the only one of a list":          {Flags{}, nil, twoImages + "suites: [{consumer: x, images: [b, a]}]\n", outcome{"x", "", "", "", "b a"}},
		"by --consumer":                   {Flags{Consumer: "workflow"}, nil, twoImages + three, outcome{"workflow", "shared", "one", "", "b"}},
		"by E2EIMAGE_CONSUMER":            {Flags{}, variables{"E2EIMAGE_CONSUMER": "full"}, twoImages + three, outcome{"full", "shared", "", "", "a b"}},
		"by --kind-cluster":               {Flags{KindCluster: "own-e2e"}, nil, twoImages + three, outcome{"own", "own-e2e", "", "chart", "a b"}},
		"by KIND_CLUSTER_NAME":            {Flags{}, variables{"KIND_CLUSTER_NAME": "own-e2e"}, twoImages + three, outcome{"own", "own-e2e", "", "chart", "a b"}},
		"by consumer in another cluster":  {Flags{Consumer: "own", KindCluster: "shared"}, nil, twoImages + three, outcome{"own", "shared", "", "chart", "a b"}},
		"images outside of it when named": {Flags{Consumer: "workflow", Names: []string{"a"}}, nil, twoImages + three, outcome{"workflow", "shared", "one", "", "a"}},
		"images in the order asked, each once": {
			Flags{Names: []string{"b", "a", "b"}}, nil, twoImages, outcome{"", "", "", "", "b a"},
		},
		"an image that only --source knows": {
			Flags{Names: []string{"new"}, Source: "localhost/new:1"}, nil, twoImages, outcome{"", "", "", "", "new"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite, _ := resolved(t, test.flags, test.environment, test.file)
			var images []string
			for _, image := range suite.Images {
				images = append(images, image.Name)
			}
			got := outcome{suite.Consumer, suite.KindCluster, suite.Namespace, suite.TagGroup, strings.Join(images, " ")}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
