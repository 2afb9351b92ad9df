package manifest

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAPlaceholderIsReplacedWhereverItStands(t *testing.T) {
	t.Parallel()
	const ds, gw = "e2eimage://datastorage", "e2eimage://gateway"
	for name, text := range map[string]string{
		"in an argument":              "args:\n- --leader-elect\n- --worker-image=" + ds + "\n- \"--sidecar\"\n- '" + gw + "'\n",
		"two in one value":            "env:\n- name: WORKER_IMAGES\n  value: " + ds + "," + gw + "\n",
		"in a block":                  "kind: ConfigMap\ndata:\n  pod.yaml: |\n    kind: Pod\n    spec: {containers: [{image: " + ds + "}]}\n    # or " + gw + ".\n  more: >-\n    one\n    " + gw + "\n    two\n",
		"in a block with a comment":   "data:\n  a: |- # no block\n    " + ds + "\n\n    " + ds + "\n  b: " + gw + "\n",
		"as an image in a block":      "image: >-\n  " + ds + "\n",
		"in a key":                    "data: {" + ds + ": x, \"a " + gw + "\": y}\n",
		"in JSON in quotes":           "data: {a: \"{\\\"image\\\": \\\"" + ds + "\\\", \\\"b\\\": 1}\\n\", b: '{\"c\": \"" + gw + "\"} it''s'}\n",
		"in quotes over lines":        "a: \"one\n  --image=" + ds + "\n  two " + gw + "\"\nb: one\n  " + ds + "\n  two # no comment of " + "another\n",
		"in a sentence":               "metadata: {annotations: {note: \"Runs " + ds + ". And " + gw + "; (" + ds + ")\"}}\n",
		"in an anchor":                "a: &i --image=" + ds + "\nb: *i\nspec: {containers: [{args: [*i ]}]}\n",
		"in what is merged over":      "a: &m {x: " + ds + "}\nb: {<<: *m, x: " + gw + "}\n",
		"with a tag and an anchor":    "a: !!str &i '" + ds + "'\n",
		"in JSON":                     "{\"args\": [\"--image=" + ds + "\"], \"" + gw + "\": null}\n",
		"in a custom resource":        "kind: Store\nspec: {workers: [{template: [{baseImage: " + ds + "}]}]}\n",
		"at the end of the text":      "a: " + ds,
		"with Windows line ends":      "a: |\r\n  " + ds + "\r\n  x\r\nb: " + gw + "\r\n",
		"behind other letters":        "a: \"ä 日本 " + ds + " ü\"\n",
		"of an image volume":          "kind: Pod\nspec: {volumes: [{image: {reference: " + ds + "}}]}\n",
		"in the command of a CronJob": "spec: {jobTemplate: {spec: {template: {spec: {containers: [{command: [sh, -c, 'run " + ds + " && run " + gw + "']}]}}}}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := strings.NewReplacer(ds, storage, gw, gateway).Replace(text)
			got, err := Render([]byte(text), "", Options{Images: images(), Annotate: true})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	// Whole values may be escaped.
	got, err := Render([]byte(`{"image": "e2eimage:\u002f/datastorage", "x": "\u00652eimage://gateway"}`), "", Options{Images: images()})
	if want := `{"image": "` + storage + `", "x": "` + gateway + `"}`; err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
	// In a comment it stands for nothing.
	const comment = "# image: e2eimage://nothing\na: b # e2eimage://datastorage\n"
	if got, err := Render([]byte(comment), "", Options{Images: images()}); err != nil || string(got) != comment {
		t.Errorf("%s, %v", got, err)
	}
}

func TestAPlaceholderThatCannotBeReplacedIsSaidWithItsLine(t *testing.T) {
	t.Parallel()
	encoded := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	const unknown = ": no image of that name is recorded; there is datastorage, gateway"
	for name, test := range map[string]struct{ text, want string }{
		"an unknown name in an argument":  {"args:\n- --image=e2eimage://datastorrage\n", "my.yaml:2: e2eimage://datastorrage" + unknown},
		"one that only begins so":         {"a: e2eimage://datastorage-2\n", "my.yaml:1: e2eimage://datastorage-2" + unknown},
		"with a tag":                      {"a: e2eimage://datastorage:v1\n", "my.yaml:1: e2eimage://datastorage:v1" + unknown},
		"with a digest":                   {"a: e2eimage://datastorage@sha256:0\n", "my.yaml:1: e2eimage://datastorage@sha256:0" + unknown},
		"with a path":                     {"a: e2eimage://gateway/x\n", "my.yaml:1: e2eimage://gateway/x" + unknown},
		"of a template":                   {"a: e2eimage://{{ .Name }}\n", "my.yaml:1: e2eimage://" + unknown},
		"of a variable":                   {"a: x=e2eimage://$NAME\n", "my.yaml:1: e2eimage://$NAME" + unknown},
		"nothing":                         {"a: 'e2eimage:// x'\n", "my.yaml:1: e2eimage://" + unknown},
		"in a key":                        {"x: 1\n---\na:\n  e2eimage://x: b\n", "my.yaml:4: e2eimage://x" + unknown},
		"deep in a block":                 {"data:\n  x: |\n    one\n\n    a: e2eimage://gateway\n    b: e2eimage://x\n", "my.yaml:6: e2eimage://x" + unknown},
		"two on one line":                 {"a: e2eimage://x,e2eimage://y\n", "my.yaml:1: e2eimage://x" + unknown + "\nmy.yaml:1: e2eimage://y" + unknown},
		"with escapes":                    {"a: \"--image=e2eimage:\\x2f/datastorage\"\n", "my.yaml:1: e2eimage://datastorage cannot be replaced where it is written with escapes; write it without"},
		"with escapes in its name":        {"a: \"x e2eimage://data\\u0073torage\"\n", "my.yaml:1: e2eimage://datastorage cannot be replaced where it is written with escapes; write it without"},
		"escaped, beside one that is not": {"a: \"x e2eimage:\\x2f/gateway\" # e2eimage://gateway\nb: e2eimage://gateway\n", "my.yaml:1: e2eimage://gateway cannot be replaced where it is written with escapes; write it without"},
		"in base64":                       {"kind: Secret\ndata:\n  a: " + encoded("e2eimage://datastorage") + "\n", "my.yaml:3: e2eimage:// stands here in base64, where it cannot be replaced; a Secret's stringData has it as text"},
		"in base64, further on":           {"kind: Secret\ndata: {a: x,\n  b: " + encoded("image=e2eimage://datastorage\n") + ", c: " + encoded("images=e2eimage://datastorage\n") + "}\n", "my.yaml:3: e2eimage:// stands here in base64"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Render([]byte(test.text), "my.yaml", Options{Images: images()})
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error %v, want %s\n%s", err, test.want, got)
			}
		})
	}
}

func TestFieldsThatAreCalledOtherwiseStayAsTheyAre(t *testing.T) {
	t.Parallel()
	const text = "kind: Pod\nspec:\n  volumes: [{image: {reference: localhost/datastorage:old}}]\n  containers:\n  - args: [--image=localhost/datastorage:old]\n    env: [{name: RELATED_IMAGE_X, value: localhost/datastorage:old}]\n  baseImage: localhost/datastorage:old\n  reference: localhost/datastorage:old\n"
	want := strings.Replace(text, "reference: localhost/datastorage:old", "reference: "+storage, 1)
	got, err := Render([]byte(text), "", Options{Images: images()})
	if diff := cmp.Diff(want, string(got)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	const pod = "kind: Pod\nmetadata: {name: x}\nspec: {volumes: [{image: {reference: " + storage + "}}], containers: [{image: other}]}\n"
	got, err = Render([]byte(pod), "", Options{Images: images(), Annotate: true})
	if err != nil || !strings.Contains(string(got), "{annotations: {"+AnnotationPrefix+"datastorage: "+storageID) {
		t.Errorf("%s, %v", got, err)
	}
}
