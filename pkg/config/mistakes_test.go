package config

import (
	"strings"
	"testing"
	"time"
)

func TestWhatFlagsAndVariablesGetWrongIsNamedByThem(t *testing.T) {
	t.Parallel()
	const name = " must be 1 to 63 lowercase letters, digits and -, with a letter or digit at both ends"
	negative, none := -1, time.Duration(0)
	tests := map[string]struct {
		flags       Flags
		environment variables
		file        string
		want        []string
	}{
		"everything at once, in order": {
			Flags{
				Consumer: "A", KindCluster: "b c", Namespace: "d.e", Provider: "nerdctl", Names: []string{"x_y", ""}, Source: "$(id)", Repository: "it's",
				Tag: "-x", TagTemplate: "{{", Workloads: []string{"x"}, Containers: []string{"C"}, PullPolicy: "Always", Timeout: &none, MaxRestarts: &negative,
			},
			nil, "",
			[]string{
				`--consumer: "A"` + name,
				`--kind-cluster: "b c" must be lowercase letters, digits, - and .; see: kind get clusters`,
				`--namespace: "d.e"` + name,
				`--provider: "nerdctl" is neither docker nor podman`,
				`NAME: "x_y"` + name,
				`NAME: is empty`,
				`--source: needs exactly one NAME`,
				`--repository: needs exactly one NAME`,
				`--tag: needs exactly one NAME`,
				`--source: source "$(id)" is neither an image reference nor sha256:…, docker-archive:FILE, oci:FOLDER, oci-archive:FILE or -: invalid reference format`,
				`--repository: "it's" is no repository: invalid reference format`,
				`--tag: "-x": a tag has letters, digits, _ . - and does not start with . or -`,
				`--tag-template: template "{{": unclosed action`,
				`--workload: "x" is not KIND/NAME or NAMESPACE/KIND/NAME, such as deployment/datastorage`,
				`--container: "C"` + name,
				`--pull-policy: "Always" must be Never or IfNotPresent, or be left out`,
				`--timeout: 0s must be more than 0, such as 120s`,
				`--max-restarts: -1 must be 0 or more`,
			},
		},
		"variables by their name": {
			Flags{Names: []string{"a"}},
			variables{"E2EIMAGE_CONSUMER": "A", "KIND_CLUSTER_NAME": "$(id)", "E2EIMAGE_NAMESPACE": "a\nb"},
			"",
			[]string{
				`E2EIMAGE_CONSUMER: "A"` + name,
				`KIND_CLUSTER_NAME: "$(id)" must be lowercase letters, digits, - and .; see: kind get clusters`,
				`E2EIMAGE_NAMESPACE: "a\nb"` + name,
			},
		},
		"file, flag and variable together, the file first and by line": {
			Flags{Consumer: "A"},
			variables{"E2EIMAGE_NAMESPACE": "B"},
			header + "colour: red\nimages: [{name: A}]\n",
			[]string{
				`e2eimage.yaml:3: colour: unknown field; known are apiVersion, consumer, engine, freshness, helm, images, keepPrevious, kind, kindCluster, namespace, registry, suites, tag, tagGroup, waitFor`,
				`e2eimage.yaml:4: images[0].name: "A"` + name,
				`--consumer: "A"` + name,
				`E2EIMAGE_NAMESPACE: "B"` + name,
			},
		},
		"a suite that is not there, by --consumer": {
			Flags{Consumer: "workflo"},
			nil, twoImages + three,
			[]string{`--consumer: e2eimage.yaml has no suite "workflo"; its suites are workflow, full, own; did you mean "workflow"?`},
		},
		"a suite that is not there, by E2EIMAGE_CONSUMER": {
			Flags{},
			variables{"E2EIMAGE_CONSUMER": "other"},
			twoImages + three,
			[]string{`E2EIMAGE_CONSUMER: e2eimage.yaml has no suite "other"; its suites are workflow, full, own`},
		},
		"several suites": {
			Flags{}, nil, twoImages + three, []string{`e2eimage.yaml: has several suites: workflow, full, own; say which with --consumer`},
		},
		"several suites of the Kind cluster": {
			Flags{KindCluster: "shared"},
			nil, twoImages + three,
			[]string{`e2eimage.yaml: has several suites for Kind cluster "shared": workflow, full; say which with --consumer`},
		},
		"no suite of the Kind cluster": {
			Flags{},
			variables{"KIND_CLUSTER_NAME": "kind"},
			twoImages + three,
			[]string{`e2eimage.yaml: has several suites, none for Kind cluster "kind": workflow, full, own; say which with --consumer`},
		},
		"images that are not there": {
			Flags{Names: []string{"aa", "nothing-like-it"}},
			nil, strings.ReplaceAll(twoImages, "name: b", "name: bbbbb"),
			[]string{
				`NAME: e2eimage.yaml has no image "aa"; it has a, bbbbb`,
				`NAME: e2eimage.yaml has no image "nothing-like-it"; it has a, bbbbb`,
			},
		},
		"a mistyped image": {
			Flags{Names: []string{"datastorge"}},
			nil, header + "images: [{name: datastorage}]\n",
			[]string{`NAME: e2eimage.yaml has no image "datastorge"; it has datastorage; did you mean "datastorage"?`},
		},
		"--tag for every image of the suite": {
			Flags{Tag: "v1"}, nil, twoImages, []string{`--tag: needs exactly one NAME`},
		},
		"--tag for two images": {
			Flags{Tag: "v1", Names: []string{"a", "b"}}, nil, twoImages, []string{`--tag: needs exactly one NAME`},
		},
		"neither a name nor a file": {
			Flags{}, nil, "", strings.Split("which image? Give its NAME, or write an e2eimage.yaml like this:\n"+example, "\n"),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, test.flags, test.environment, test.file, test.want...)
		})
	}
}

func TestTheSameNameTwiceIsOneName(t *testing.T) {
	t.Parallel()
	suite, _ := resolved(t, Flags{Names: []string{"a", "a"}, Tag: "v1"}, nil, twoImages)
	if len(suite.Images) != 1 || suite.Images[0].Tag != "v1" {
		t.Errorf("got %+v", suite.Images)
	}
}

func TestTheOrderOfMistakesIsAlwaysTheSame(t *testing.T) {
	t.Parallel()
	const file = header + "images: [{name: A, source: 'a b', repository: x, prebuilt: 'c d', build: {args: {a: '{{', b: '{{', c: '{{'}}}]\nhelm: {a: '{{', b: '{{', c: '{{'}\n"
	dir := workplace(t, file)
	var before string
	for range 50 {
		_, err := Resolve(Flags{Source: "a b", Repository: "x", Tag: "/"}, nil, dir)
		if before != "" && err.Error() != before {
			t.Fatalf("first\n%s\nthen\n%v", before, err)
		}
		before = err.Error()
	}
}
