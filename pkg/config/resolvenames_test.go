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

func TestAnImageMayStandWhereANameDoes(t *testing.T) {
	t.Parallel()
	const file = header + "images:\n- {name: storage, source: localhost/storage:dev}\n- {name: postgres, external: docker.io/library/postgres:16}\n"
	for _, test := range []struct {
		name  string
		file  string
		flags Flags
		want  string
	}{
		{"names of the file are names", file, Flags{Names: []string{"postgres", "storage"}}, "postgres storage"},
		{"what the file says of an image counts", file, Flags{Names: []string{"localhost/storage:dev", "docker.io/library/postgres:16"}}, "storage postgres"},
		{"others get a name", file, Flags{Names: []string{"localhost/x/other:1", "redis"}}, "other=localhost/x/other:1 redis=redis"},
		{"one that is not taken", file, Flags{Names: []string{"storage", "quay.io/storage:1", "ghcr.io/storage:1"}}, "storage storage-2=quay.io/storage:1 storage-3=ghcr.io/storage:1"},
		{"one each", file, Flags{Names: []string{"redis:7", "redis:7"}}, "redis-7=redis:7"},
		{"archives by their path", "", Flags{Names: []string{"docker-archive:out/a.tar"}}, "a-tar=docker-archive:DIR/out/a.tar"},
		{"without a file a word is an image", "", Flags{Names: []string{"redis"}}, "redis=redis"},
		{"with a lock it is a name", "", Flags{Names: []string{"redis"}, Lock: "x.lock.yaml"}, "redis"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.flags.NamesOrImages = true
			suite, dir := resolved(t, test.flags, nil, test.file)
			var got []string
			for _, image := range suite.Images {
				text := image.Name
				if image.Loose {
					text += "=" + strings.ReplaceAll(image.Source, dir, "DIR")
				}
				got = append(got, text)
			}
			if got := strings.Join(got, " "); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestWhatIsNeitherNameNorImageSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	const file = header + "images:\n- {name: storage, source: localhost/storage:dev}\n"
	for given, want := range map[string][]string{
		"storag": {
			`NAME: e2eimage.yaml has no image "storag"; it has storage; did you mean "storage"?`,
			"to load an image of that name: kubectl e2eimage load --source storag",
		},
		"out/Image A.tar": {
			`NAME: "out/Image A.tar" is a file, and no image`,
			"load it: kubectl e2eimage load 'docker-archive:out/Image A.tar'",
		},
		"out/a.tar": {
			`NAME: "out/a.tar" may be a file or an image`,
			"for the file: kubectl e2eimage load docker-archive:out/a.tar",
			"for the image: kubectl e2eimage load --source out/a.tar",
		},
		"A B":     {`NAME: "A B" must be 1 to 63 lowercase letters, digits and -, with a letter or digit at both ends`},
		"oci:":    {`NAME: source "oci:" lacks the path`},
		"x/y@foo": {`NAME: source "x/y@foo" is neither an image reference nor sha256:…, docker-archive:FILE, oci:FOLDER, oci-archive:FILE or -: invalid reference format`},
	} {
		t.Run(given, func(t *testing.T) {
			t.Parallel()
			refused(t, Flags{Names: []string{given}, NamesOrImages: true}, nil, file, want...)
		})
	}
}
