package manifest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	storage   = "localhost/datastorage:suite-1"
	gateway   = "localhost/gateway:suite-1"
	storageID = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	gatewayID = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
)

func images() []Image {
	return []Image{
		{Name: "datastorage", Image: storage, ImageID: storageID, Aliases: []string{"localhost/kubernaut-datastorage:e2e", "registry.example.com:5000/team/datastorage"}},
		{Name: "gateway", Image: gateway, ImageID: gatewayID, Aliases: []string{"gateway:dev"}},
	}
}

// pod is a pod template with one container, indented.
func pod(indent int, image string) string {
	space := strings.Repeat(" ", indent)
	return space + "spec:\n" + space + "  containers:\n" + space + "  - name: a\n" + space + "    image: " + image + "\n"
}

// shapes are manifests in which § stands for what an image was and becomes.
func shapes() map[string]string {
	const head = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  template:\n"
	all := map[string]string{
		"a Deployment":                        head + pod(4, "§"),
		"a Pod":                               "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n" + pod(0, "§"),
		"a CronJob":                           "apiVersion: batch/v1\nkind: CronJob\nspec:\n  jobTemplate:\n    spec:\n      template:\n" + pod(8, "§"),
		"a Job":                               "apiVersion: batch/v1\nkind: Job\nspec:\n  template:\n" + pod(4, "§"),
		"a List":                              "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n" + pod(2, "§") + "- apiVersion: v1\n  kind: Pod\n" + pod(2, "§"),
		"a List with a ConfigMap":             "kind: List\nitems:\n- kind: ConfigMap\n  data: {image: localhost/datastorage:dev}\n- kind: Pod\n" + pod(2, "§"),
		"a custom resource":                   "apiVersion: example.com/v1\nkind: Store\nspec:\n  image: §\n  size: 3\n",
		"a custom resource, deep":             "apiVersion: example.com/v1\nkind: Store\nspec:\n  a:\n    b:\n    - c: {image: §}\n",
		"a CRD with a property called image":  "kind: CustomResourceDefinition\nspec:\n  properties:\n    image:\n      type: string\n    x: {image: §}\n",
		"a kind that nobody knows":            "kind: \u00fcnbekannt\nimage: §\n",
		"init containers":                     "kind: Pod\nspec:\n  initContainers:\n  - {name: i, image: §}\n  containers:\n  - {name: c, image: §}\n",
		"ephemeral containers":                "kind: Pod\nspec:\n  ephemeralContainers:\n  - {name: i, image: §}\n",
		"another container stays":             "kind: Pod\nspec:\n  containers:\n  - image: docker.io/library/postgres:16\n  - image: §\n  - image: localhost/datastorage-migrate:e2e\n",
		"an image volume":                     "kind: Pod\nspec:\n  volumes:\n  - name: v\n    image: {reference: x, pullPolicy: Never}\n  containers:\n  - image: §\n",
		"double quotes":                       head + pod(4, `"§"`),
		"single quotes":                       head + pod(4, "'§'"),
		"a comment behind":                    head + pod(4, "§ # keep me"),
		"a comment behind quotes":             head + pod(4, `"§"   # keep me "too"`),
		"a comment above":                     head + "    # image: localhost/kubernaut-datastorage:e2e\n" + pod(4, "§"),
		"comments everywhere":                 "# a\n" + head + "    # b\n" + pod(4, "§") + "# c\n",
		"many blanks":                         head + pod(4, "    §   "),
		"an anchor":                           "kind: Pod\nspec:\n  containers:\n  - image: &img §\n",
		"an anchor and a tag":                 "kind: Pod\nspec:\n  containers:\n  - image: !!str &img §\n",
		"an anchor with quotes":               "kind: Pod\nspec:\n  containers:\n  - image: &img '§'\n",
		"an alias of an image":                "kind: Pod\nspec:\n  containers:\n  - image: &img §\n  - image: *img\n",
		"a merge key":                         "kind: Pod\nspec:\n  containers:\n  - &base {name: a, image: §}\n  - {<<: *base, name: b}\n",
		"a merge key that is overridden":      "kind: Pod\nx: &base {image: §}\nspec:\n  containers:\n  - {<<: *base, image: §}\n",
		"the key in quotes":                   "kind: Pod\nspec:\n  containers:\n  - \"image\": §\n",
		"the key is complex":                  "kind: Pod\nspec:\n  containers:\n  - ? image\n    : §\n",
		"flow style":                          "{kind: Pod, spec: {containers: [{name: a, image: §}, {image: §, name: b}]}}\n",
		"flow style over lines":               "kind: Pod\nspec: {\n  containers: [\n    {name: a, image: §},\n    {image: §}\n  ]\n}\n",
		"JSON":                                `{"kind":"Pod","spec":{"containers":[{"name":"a","image":"§"}]}}`,
		"JSON with blanks":                    "{\n\t\"kind\": \"Pod\",\n\t\"spec\": {\"containers\": [ { \"image\" : \"§\" } ]}\n}\n",
		"the value on the next line":          "kind: Pod\nspec:\n  containers:\n  - image:\n      §\n",
		"Windows line ends":                   strings.ReplaceAll(head+pod(4, "§")+"---\n"+head+pod(4, "'§' # x"), "\n", "\r\n"),
		"mixed line ends":                     head + strings.ReplaceAll(pod(4, "§"), "\n", "\r\n") + "status: {}\n",
		"no line end at the end":              strings.TrimSuffix(head+pod(4, "§"), "\n"),
		"unicode before it":                   "kind: Pod\nmetadata: {annotations: {x: \"\u00e4\u00f6\u00fc \u65e5\u672c\"}}\nspec: {containers: [{name: \u65e5\u672c, image: §}]}\n",
		"an emoji on the line":                "kind: Pod\nspec: {containers: [{name: \U0001f600, image: §, x: \U0001f600}]}\n",
		"tabs in a block scalar":              "kind: Pod\nmetadata:\n  annotations:\n    script: |\n      a:\n      \timage: localhost/datastorage:dev\nspec:\n  containers:\n  - image: §\n",
		"a block scalar that looks like one":  "kind: ConfigMap\ndata:\n  pod.yaml: |\n    image: localhost/datastorage:dev\n---\n" + head + pod(4, "§"),
		"a folded text before it":             "kind: Pod\nmetadata:\n  annotations:\n    a: >-\n      one\n      two\nspec:\n  containers:\n  - image: §\n",
		"a quoted text over lines before it":  "kind: Pod\nmetadata:\n  annotations:\n    a: \"one\n      two\"\nspec:\n  containers:\n  - image: §\n",
		"two documents":                       head + pod(4, "§") + "---\n" + head + pod(4, "§"),
		"separators with comments":            "--- # first\n" + head + pod(4, "§") + "--- # second\n" + head + pod(4, "§"),
		"a document on the separator's line":  "--- {kind: Pod, spec: {containers: [{image: §}]}}\n",
		"empty documents":                     "---\n---\n\n---\n# nothing\n---\n" + head + pod(4, "§") + "---\n---\n",
		"an end mark":                         head + pod(4, "§") + "...\n---\n" + head + pod(4, "§") + "...\n",
		"a directive":                         "%YAML 1.2\n---\n" + head + pod(4, "§"),
		"a separator in a block scalar":       "kind: ConfigMap\ndata:\n  x: |\n    ---\n    image: x\n---\n" + head + pod(4, "§"),
		"Helm's sources":                      "---\n# Source: chart/templates/a.yaml\n" + head + pod(4, `"§"`) + "---\n# Source: chart/templates/b.yaml\n",
		"blank lines":                         "\n\n" + head + "\n\n" + pod(4, "§") + "\n\n",
		"indented sequences":                  "kind: Pod\nspec:\n    containers:\n        -   name: a\n            image: §\n",
		"a dash on its own line":              "kind: Pod\nspec:\n  containers:\n  -\n    image: §\n",
		"the image first":                     "kind: Pod\nspec:\n  containers:\n  - image: §\n    name: a\n",
		"an env value stays":                  "kind: Pod\nspec:\n  containers:\n  - image: §\n    env: [{name: IMAGE, value: 'localhost/kubernaut-datastorage:e2e'}]\n",
		"a label called image stays":          "kind: Pod\nmetadata: {labels: {image: datastorage}}\nspec: {containers: [{image: §}]}\n",
		"labels and selectors called image":   "kind: Deployment\nspec:\n  selector: {matchLabels: {image: gateway}}\n  template:\n    metadata: {labels: {image: gateway}}\n" + pod(4, "§"),
		"the selector of a Service":           "kind: Service\nspec: {selector: {image: gateway}}\nimage: §\n",
		"a stream of JSON objects":            "{\"kind\":\"ConfigMap\"}\n{\"kind\":\"Pod\",\"spec\":{\"containers\":[{\"image\":\"§\"}]}} {\"image\": \"§\"}\n\n",
		"line ends of other worlds":           "kind: Pod\nmetadata:\n  annotations: {a: 'x\u0085  y\u2028  z'}\nspec:\n  containers:\n  - image: §\n",
		"an image with a digest elsewhere":    "kind: Pod\nspec:\n  containers:\n  - image: docker.io/x@sha256:" + strings.Repeat("a", 64) + "\n  - image: §\n",
		"numbers, booleans and null stay":     "kind: Pod\nx: {image: 1}\ny: {image: true}\nz: {image: null}\nw: {image: }\nspec: {containers: [{image: §}]}\n",
		"an image list of a kustomization":    "kind: Kustomization\nimages:\n- {name: datastorage, newTag: x}\nimage: §\n",
		"an odd order of keys":                "spec:\n  template:\n" + pod(4, "§") + "kind: Deployment\napiVersion: apps/v1\n",
		"duplicate containers":                "kind: Pod\nspec:\n  containers:\n  - {name: a, image: §}\n  - {name: a, image: §}\n",
		"a StatefulSet with volume templates": "kind: StatefulSet\nspec:\n  template:\n" + pod(4, "§") + "  volumeClaimTemplates:\n  - metadata: {name: v}\n",
		"a DaemonSet with tolerations":        "kind: DaemonSet\nspec:\n  template:\n    metadata: {labels: {a: b}}\n" + pod(4, "§") + "      tolerations: [{operator: Exists}]\n",
		"a PodTemplate":                       "kind: PodTemplate\ntemplate:\n" + pod(2, "§"),
		"an Argo Rollout":                     "kind: Rollout\nspec:\n  strategy: {canary: {steps: [{setWeight: 20}]}}\n  template:\n" + pod(4, "§"),
		"a Knative Service":                   "kind: Service\nspec:\n  template:\n    spec:\n      containers:\n      - image: §\n        ports: [{containerPort: 8080}]\n",
		"nothing but an image":                "image: §\n",
	}
	return all
}

func TestRenderChangesImagesAndNothingElse(t *testing.T) {
	t.Parallel()
	if len(shapes()) < 60 {
		t.Fatalf("only %d shapes", len(shapes()))
	}
	for name, shape := range shapes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, was := range []string{
				"localhost/kubernaut-datastorage:e2e", "localhost/datastorage:old", "registry.example.com:5000/team/datastorage:v1",
				"localhost/kubernaut-datastorage@sha256:" + strings.Repeat("0", 64), storage, "e2eimage://datastorage",
			} {
				got, err := Render([]byte(strings.ReplaceAll(shape, "§", was)), "", Options{Images: images()})
				if err != nil {
					t.Fatalf("%s: %v", was, err)
				}
				want := strings.ReplaceAll(shape, "§", storage)
				if diff := cmp.Diff(want, string(got)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", was, diff)
				}
			}
		})
	}
}

func TestTextWithoutImagesIsReturnedAsItIs(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\n", "---\n", "not: [yaml", strings.ReplaceAll(shapes()["a List"], "§", "docker.io/other:1")} {
		got, err := Render([]byte(text), "", Options{Images: images()})
		if err != nil || string(got) != text {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
}

func TestWhatCannotBeRenderedIsSaidWithItsLine(t *testing.T) {
	t.Parallel()
	ambiguous := append(images(), Image{Name: "storage2", Image: "localhost/storage2:suite-1", Aliases: []string{"localhost/kubernaut-datastorage:e2e"}})
	for name, test := range map[string]struct {
		text   string
		images []Image
		want   string
	}{
		"an unknown placeholder":    {"a: b\n---\nkind: Pod\nspec:\n  containers:\n  - image: e2eimage://other\n", images(), "my.yaml:6: e2eimage://other: no image of that name is recorded; there is datastorage, gateway"},
		"two unknown ones":          {"a: e2eimage://x\nb: {image: e2eimage://y}\n", images(), "my.yaml:1: e2eimage://x: no image of that name is recorded; there is datastorage, gateway\nmy.yaml:2: e2eimage://y: no image of that name is recorded; there is datastorage, gateway"},
		"an ambiguous one":          {"x: 1\nimage: localhost/kubernaut-datastorage:e2e\n", ambiguous, "my.yaml:2: localhost/kubernaut-datastorage:e2e can mean datastorage or storage2; write e2eimage://datastorage for the one that you mean"},
		"a block scalar":            {"x: 1\nimage: >-\n  localhost/datastorage:x\n", images(), "my.yaml:2: localhost/datastorage:x cannot be replaced where it is written over several lines or in a block; write it on one line"},
		"a document without a mark": {"a: 1\n...\nimage: e2eimage://datastorage\n", images(), "my.yaml:3: a second document begins without a line --- before it"},
		"JSON objects":              {"{\"a\": 1}\n\n{\"image\":\n \"e2eimage://x\"}\n", images(), "my.yaml:4: e2eimage://x: no image of that name is recorded; there is datastorage, gateway"},
		"no YAML":                   {"a: 1\n---\nimage: localhost/datastorage:x\n  b: [\n", images(), "my.yaml:4: is not YAML: mapping values are not allowed in this context"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Render([]byte(test.text), "my.yaml", Options{Images: test.images})
			var wrong *Error
			if !errors.As(err, &wrong) || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

func TestAFullReferenceGoesBeforeARepository(t *testing.T) {
	t.Parallel()
	two := []Image{{Name: "a", Image: "localhost/a:1", Aliases: []string{"localhost/shared:one"}}, {Name: "b", Image: "localhost/b:1", Aliases: []string{"localhost/shared:two"}}}
	got, err := Render([]byte("image: localhost/shared:two\n"), "", Options{Images: two})
	if err != nil || string(got) != "image: localhost/b:1\n" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestPodTemplatesAreAnnotated(t *testing.T) {
	t.Parallel()
	const key = AnnotationPrefix + "datastorage: " + storageID
	for name, test := range map[string]struct{ text, want string }{
		"no metadata": {
			"kind: Deployment\nspec:\n  template:\n" + pod(4, storage),
			"kind: Deployment\nspec:\n  template:\n    metadata: {annotations: {" + key + "}}\n" + pod(4, storage),
		},
		"labels only": {
			"spec:\n  template:\n    metadata:\n      labels:\n        a: b\n" + pod(4, storage),
			"spec:\n  template:\n    metadata:\n      annotations: {" + key + "}\n      labels:\n        a: b\n" + pod(4, storage),
		},
		"annotations": {
			"spec:\n  template:\n    metadata:\n      annotations:\n        a: b # x\n" + pod(4, storage),
			"spec:\n  template:\n    metadata:\n      annotations:\n        " + key + "\n        a: b # x\n" + pod(4, storage),
		},
		"its own of before": {
			"spec:\n  template:\n    metadata:\n      annotations:\n        " + AnnotationPrefix + "datastorage: 'sha256:0'\n" + pod(4, storage),
			"spec:\n  template:\n    metadata:\n      annotations:\n        " + AnnotationPrefix + "datastorage: '" + storageID + "'\n" + pod(4, storage),
		},
		"flow": {
			"spec: {template: {metadata: {labels: {a: b}}, spec: {containers: [{image: " + storage + "}]}}}\n",
			"spec: {template: {metadata: {annotations: {" + key + "}, labels: {a: b}}, spec: {containers: [{image: " + storage + "}]}}}\n",
		},
		"empty annotations": {
			"spec: {template: {metadata: {annotations: {}}, spec: {containers: [{image: " + storage + "}]}}}\n",
			"spec: {template: {metadata: {annotations: {" + key + "}}, spec: {containers: [{image: " + storage + "}]}}}\n",
		},
		"annotations of a chart without any": {
			"spec:\n  template:\n    metadata:\n      annotations:\n      labels:\n        a: b\n" + pod(4, storage),
			"spec:\n  template:\n    metadata:\n      annotations: {" + key + "}\n      labels:\n        a: b\n" + pod(4, storage),
		},
		"annotations that are null": {
			"spec:\n  template:\n    metadata:\n      annotations: null # none\n" + pod(4, storage),
			"spec:\n  template:\n    metadata:\n      annotations: {" + key + "} # none\n" + pod(4, storage),
		},
		"metadata without anything, and a comment": {
			"spec:\n  template:\n    metadata: # none\n" + pod(4, storage),
			"spec:\n  template:\n    metadata: {annotations: {" + key + "}} # none\n" + pod(4, storage),
		},
		"a Pod's that are null in JSON": {
			`{"spec":{"template":{"metadata":{"annotations":null},"spec":{"containers":[{"image":"` + storage + `"}]}}}}`,
			`{"spec":{"template":{"metadata":{"annotations":{"` + AnnotationPrefix + `datastorage": "` + storageID + `"}},"spec":{"containers":[{"image":"` + storage + `"}]}}}}`,
		},
		"JSON": {
			`{"spec":{"template":{"spec":{"containers":[{"image":"` + storage + `"}]}}}}`,
			`{"spec":{"template":{"metadata": {"annotations": {"` + AnnotationPrefix + `datastorage": "` + storageID + `"}}, "spec":{"containers":[{"image":"` + storage + `"}]}}}}`,
		},
		"a Pod": {
			"kind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - image: " + storage + "\n",
			"kind: Pod\nmetadata:\n  annotations: {" + key + "}\n  name: a\nspec:\n  containers:\n  - image: " + storage + "\n",
		},
		"a CronJob, Windows": {
			"spec:\r\n  jobTemplate:\r\n    spec:\r\n      template:\r\n        metadata:\r\n          labels: {a: b}\r\n" + strings.ReplaceAll(pod(8, storage), "\n", "\r\n"),
			"spec:\r\n  jobTemplate:\r\n    spec:\r\n      template:\r\n        metadata:\r\n          annotations: {" + key + "}\r\n          labels: {a: b}\r\n" + strings.ReplaceAll(pod(8, storage), "\n", "\r\n"),
		},
		"no image of ours": {"spec:\n  template:\n    metadata: {name: datastorage}\n" + pod(4, "x"), "spec:\n  template:\n    metadata: {name: datastorage}\n" + pod(4, "x")},
		"two images": {
			"spec:\n  template:\n    metadata: {}\n    spec:\n      initContainers: [{image: " + gateway + "}]\n      containers: [{image: " + storage + "}]\n",
			"spec:\n  template:\n    metadata: {annotations: {" + key + ", " + AnnotationPrefix + "gateway: " + gatewayID + "}}\n    spec:\n      initContainers: [{image: " + gateway + "}]\n      containers: [{image: " + storage + "}]\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Render([]byte(test.text), "", Options{Images: images(), Annotate: true})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			again, err := Render(got, "", Options{Images: images(), Annotate: true})
			if err != nil || string(again) != string(got) {
				t.Errorf("again it is\n%s, %v", again, err)
			}
		})
	}
}

func TestAThousandDocumentsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	var text, want strings.Builder
	for i := range 1000 {
		document := fmt.Sprintf("---\nkind: Pod\nmetadata: {name: p%d}\n", i)
		text.WriteString(document + pod(0, "localhost/datastorage:old"))
		want.WriteString(document + pod(0, storage))
	}
	got, err := Render([]byte(text.String()), "", Options{Images: images()})
	if err != nil || string(got) != want.String() {
		t.Errorf("%v, %d bytes, want %d", err, len(got), want.Len())
	}
}

func BenchmarkRender(b *testing.B) {
	document := "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n" + strings.Repeat("  key: value of some length that configs have\n", 1)
	var text strings.Builder
	for i := 0; text.Len() < 20<<20; i++ {
		if i%20 == 0 {
			text.WriteString("---\nkind: Deployment\nspec:\n  template:\n" + pod(4, "localhost/datastorage:old"))
		}
		text.WriteString(document)
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		if _, err := Render([]byte(text.String()), "", Options{Images: images()}); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzRender(f *testing.F) {
	for _, shape := range shapes() {
		f.Add(strings.ReplaceAll(shape, "§", "localhost/datastorage:old"))
	}
	for i, text := range sharings() {
		if i%10 == 0 {
			f.Add(text)
		}
	}
	f.Add("a: --x=e2eimage://datastorage # e2eimage://gateway\nb: |\n  e2eimage://gateway\nc: \"\\x65e2eimage://gateway\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, annotate := range []bool{false, true} {
			got, err := Render([]byte(text), "", Options{Images: images(), Annotate: annotate})
			if err != nil {
				return
			}
			again, err := Render(got, "", Options{Images: images(), Annotate: annotate})
			if err == nil && string(again) != string(got) {
				t.Errorf("%q became %q, then %q", text, got, again)
			}
		}
	})
}
