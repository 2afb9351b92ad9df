package config

import (
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPathsAreRelativeToWhereTheyAreWritten(t *testing.T) {
	t.Parallel()
	const file = header + `images:
- {name: plain, source: localhost/a:1, build: {}}
- {name: archive, source: "docker-archive:out/a.tar", prebuilt: "oci:../layout", build: {context: src, file: docker/F}}
- {name: absolute, source: "oci-archive:/out/a.tar", build: {context: /src, file: /F}}
`
	dir := workplace(t, file)
	sub := filepath.Join(dir, "sub")
	put(t, filepath.Join(sub, "x"), "")
	suite, err := Resolve(Flags{}, nil, sub)
	if err != nil {
		t.Fatal(err)
	}
	type outcome struct{ Source, Prebuilt, Context, File string }
	var got []outcome
	for _, image := range suite.Images {
		got = append(got, outcome{image.Source, image.Prebuilt, image.Build.Context, image.Build.File})
	}
	want := []outcome{
		{"localhost/a:1", "", dir, ""},
		{"docker-archive:" + dir + "/out/a.tar", "oci:" + filepath.Dir(dir) + "/layout", dir + "/src", dir + "/docker/F"},
		{"oci-archive:/out/a.tar", "", "/src", "/F"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	suite, err = Resolve(Flags{Names: []string{"plain"}, Source: "docker-archive:a.tar"}, nil, sub)
	if err != nil || suite.Images[0].Source != "docker-archive:"+sub+"/a.tar" {
		t.Errorf("a flag is relative to the working folder; got %+v, %v", suite.Images, err)
	}
}

func TestTemplatesKnowTheConsumerWhoeverSaidIt(t *testing.T) {
	t.Parallel()
	const file = header + `images:
- name: a
  source: localhost/{{.Name}}:{{.Consumer}}
  repository: localhost/{{.Consumer}}/{{.Name}}
  prebuilt: docker-archive:/{{.Consumer}}-{{.Arch}}.tar
`
	for who, test := range map[string]struct {
		flags       Flags
		environment variables
		file        string
	}{
		"the flag":     {Flags{Consumer: "c"}, nil, file + "consumer: file\n"},
		"the variable": {Flags{}, variables{"E2EIMAGE_CONSUMER": "c"}, file + "consumer: file\n"},
		"the file":     {Flags{}, nil, file + "consumer: c\n"},
		"the suite":    {Flags{KindCluster: "k"}, nil, file + "suites: [{consumer: d}, {consumer: c, kindCluster: k}]\n"},
	} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			suite, _ := resolved(t, test.flags, test.environment, test.file)
			got := []string{suite.Images[0].Source, suite.Images[0].Repository, suite.Images[0].Prebuilt}
			want := []string{"localhost/a:c", "localhost/c/a", "docker-archive:/c-" + runtime.GOARCH + ".tar"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err := suite.Need(FieldSource, FieldRepository, FieldPrebuilt); err != nil {
				t.Errorf("Need: %v", err)
			}
		})
	}
}

func TestWhatCannotBeFilledInIsAMistakeOnlyWhenUsed(t *testing.T) {
	t.Parallel()
	const file = header + `images:
- name: a
  source: localhost/a:{{env "TAG"}}
  repository: '{{env "REGISTRY"}}/a'
  prebuilt: docker-archive:{{env "ARTIFACTS"}}/a.tar
- name: b
  source: localhost/b:{{.Consumer}}
`
	environment := variables{"REGISTRY": "bad registry"}
	suite, _ := resolved(t, Flags{}, environment, file)
	const (
		source     = `e2eimage.yaml:5: images[0].source: template "localhost/a:{{env \"TAG\"}}": the environment variable "TAG" is not set; set it, or give a default: {{env "TAG" "DEFAULT"}}`
		repository = `e2eimage.yaml:6: images[0].repository: template "{{env \"REGISTRY\"}}/a" gives a value that is not valid: "bad registry/a" is no repository: invalid reference format`
		prebuilt   = `e2eimage.yaml:7: images[0].prebuilt: template "docker-archive:{{env \"ARTIFACTS\"}}/a.tar": the environment variable "ARTIFACTS" is not set; set it, or give a default: {{env "ARTIFACTS" "DEFAULT"}}`
		second     = `e2eimage.yaml:9: images[1].source: template "localhost/b:{{.Consumer}}" uses .Consumer, which is not known here: say it with --consumer or in e2eimage.yaml`
	)
	for name, test := range map[string]struct {
		err  error
		want []string
	}{
		"nothing is used":         {suite.Need(), nil},
		"the source":              {suite.Need(FieldSource), []string{source, second}},
		"repository and prebuilt": {suite.Need(FieldRepository, FieldPrebuilt), []string{repository, prebuilt}},
		"of one image":            {suite.Images[1].Need(FieldSource, FieldPrebuilt), []string{second}},
	} {
		var got []string
		var usage *UsageError
		if errors.As(test.err, &usage) {
			got = strings.Split(usage.Error(), "\n")
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := suite.Images[0].Source; got != `localhost/a:{{env "TAG"}}` {
		t.Errorf("the source stays as written, got %q", got)
	}

	suite, _ = resolved(t, Flags{Names: []string{"a"}, Source: "localhost/a:1", Repository: "localhost/z"}, environment, file)
	if err := suite.Need(FieldSource, FieldRepository); err != nil {
		t.Errorf("what flags say needs no template: %v", err)
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	digits := strings.Repeat("0a", 32)
	for text, want := range map[string]Source{
		"-":                           {SourceStdin, ""},
		"docker-archive:a b.tar":      {SourceDockerArchive, "a b.tar"},
		"oci:folder":                  {SourceOCI, "folder"},
		"oci-archive:/x/y.tar":        {SourceOCIArchive, "/x/y.tar"},
		"sha256:" + digits:            {SourceID, "sha256:" + digits},
		digits:                        {SourceID, "sha256:" + digits},
		"localhost/x:y":               {SourceReference, "localhost/x:y"},
		"x":                           {SourceReference, "x"},
		"reg:5000/x@sha256:" + digits: {SourceReference, "reg:5000/x@sha256:" + digits},
	} {
		if got, err := ParseSource(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v; want %v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                       "neither an image reference",
		"oci:":                   "lacks the path",
		"docker-archive:":        "lacks the path",
		"sha256:abc":             "64 lowercase hex digits",
		"localhost/x:$(id)":      `"localhost/x:$(id)"`,
		"x\ny":                   `"x\ny" has control characters`,
		"oci:x\x1b[31m":          `\x1b`,
		"it's":                   `"it's"`,
		"X":                      "must be lowercase",
		strings.Repeat("x", 300): "…",
	} {
		if _, err := ParseSource(text); err == nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%q: got %v, want it with %s", text, err, want)
		}
	}
}
