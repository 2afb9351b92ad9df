package manifest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// ideal is what objects have to be after Render, as kubectl reads them: there are no
// anchors then.
func ideal(value any, path []string, annotate bool) any {
	switch v := value.(type) {
	case string:
		for _, image := range images() {
			v = strings.ReplaceAll(v, Placeholder+image.Name, image.Image)
		}
		return v
	case []any:
		if len(path) == 1 && path[0] == "items" {
			path = nil
		}
		changed := []any{}
		for _, one := range v {
			changed = append(changed, ideal(one, path, annotate))
		}
		return changed
	case map[string]any:
		changed := map[string]any{}
		for key, one := range v {
			text, isText := one.(string)
			for _, image := range images() {
				names := append([]string{image.Image}, image.Aliases...)
				if isText && isImage(path, key) && !free(path) && slices.Contains(names, text) {
					text = image.Image
				}
			}
			if isText {
				one = text
			}
			changed[key] = ideal(one, append(slices.Clone(path), key), annotate)
		}
		if annotate && len(path) > 0 && path[len(path)-1] == "template" {
			annotateIdeal(changed)
		}
		return changed
	}
	return value
}

func annotateIdeal(template map[string]any) {
	spec, _ := template["spec"].(map[string]any)
	containers, _ := spec["containers"].([]any)
	init, _ := spec["initContainers"].([]any)
	volumes, _ := spec["volumes"].([]any)
	for _, one := range slices.Concat(containers, init, volumes) {
		for _, image := range images() {
			fields, _ := one.(map[string]any)
			if volume, is := fields["image"].(map[string]any); is && volume["reference"] != image.Image || !is && fields["image"] != image.Image {
				continue
			}
			metadata, _ := template["metadata"].(map[string]any)
			if metadata == nil {
				metadata = map[string]any{}
			}
			annotations, _ := metadata["annotations"].(map[string]any)
			if annotations == nil {
				annotations = map[string]any{}
			}
			annotations[AnnotationPrefix+image.Name] = image.ImageID
			template["metadata"], metadata["annotations"] = metadata, annotations
		}
	}
}

func parsed(t *testing.T, text []byte) any {
	t.Helper()
	var value any
	if err := yaml.Unmarshal(text, &value); err != nil {
		t.Fatalf("%v of\n%s", err, text)
	}
	return value
}

// sharings are pairs of templates of two Deployments in which the second one uses what
// the first one has an anchor for, and what else may have it.
func sharings() []string {
	const one, two = "localhost/kubernaut-datastorage:e2e", "gateway:dev"
	levels := []struct{ first, second []string }{
		{
			first: []string{"{spec: {containers: [{name: a, image: &a " + one + "}]}}", "{spec: {containers: [{name: a, image: &a '" + one + "'}]}}", "{metadata: {labels: {image: &a " + one + "}}, spec: {containers: [{image: " + two + "}]}}"},
			second: []string{
				"{spec: {containers: [{name: b, image: *a }]}}", "{metadata: {labels: {v: *a }}, spec: {containers: [{name: b, image: " + two + "}]}}",
				"{spec: {containers: [{name: b, image: " + two + ", env: [{name: X, value: *a }]}]}}", "{spec: {containers: [{image: *a }, {image: *a }], volumes: [{image: {reference: *a }}]}}",
			},
		},
		{
			first: []string{"{spec: {containers: [&a {name: a, image: " + one + "}]}}", "{metadata: &a {image: " + one + "}, spec: {containers: [{image: " + two + "}]}}"},
			second: []string{
				"{spec: {containers: [*a ]}}", "{spec: {containers: [{<<: *a , name: b}]}}", "{spec: {containers: [{<<: *a , image: " + two + "}]}}", "{spec: {containers: [{image: " + two + ", <<: *a }]}}",
				"{spec: {containers: [{<<: [{image: " + two + "}, *a ]}]}}", "{spec: {containers: [{<<: [*a , {image: " + two + "}]}]}}", "{metadata: {labels: *a }, spec: {containers: [{image: " + two + "}]}}",
				"{spec: {containers: [{\"<<\": *a , image: " + two + "}]}}",
			},
		},
		{
			first: []string{
				"&a {spec: {containers: [{image: " + one + "}]}}", "&a {metadata: {labels: {a: b}}, spec: {containers: [{image: " + one + "}]}}",
				"&a {metadata: {annotations: {a: b}}, spec: {containers: [{image: " + one + "}]}}",
			},
			second: []string{
				"*a", "{<<: *a }", "{<<: *a , spec: {containers: [{image: " + two + "}]}}", "{spec: {containers: [{image: " + two + "}]}, <<: *a }", "{<<: *a , spec: {containers: [{image: " + one + "}]}}",
				"{<<: *a , metadata: {labels: {c: d}}}", "{<<: *a , metadata: {labels: {c: d}}, spec: {containers: [{image: " + two + "}]}}", "{<<: [{spec: {containers: [{image: " + two + "}]}}, *a ]}",
			},
		},
		{
			first: []string{
				"{metadata: &a {labels: {a: b}}, spec: {containers: [{image: " + one + "}]}}", "{metadata: &a {annotations: {a: b}}, spec: {containers: [{image: " + one + "}]}}",
				"{metadata: &a {annotations: {" + AnnotationPrefix + "datastorage: 'sha256:0'}}, spec: {containers: [{image: " + one + "}]}}", "{metadata: &a {annotations: null}, spec: {containers: [{image: " + one + "}]}}",
				"{metadata: {annotations: &a {a: b}}, spec: {containers: [{image: " + one + "}]}}",
			},
			second: []string{
				"{metadata: *a , spec: {containers: [{image: " + two + "}]}}", "{metadata: *a , spec: {containers: [{image: " + one + "}]}}", "{metadata: {<<: *a , name: x}, spec: {containers: [{image: " + two + "}]}}",
				"{metadata: *a , spec: {containers: [{image: other}]}}", "{metadata: {annotations: *a }, spec: {containers: [{image: " + one + "}]}}", "{metadata: {annotations: {<<: *a }}, spec: {containers: [{image: " + two + "}]}}",
			},
		},
		{
			first:  []string{"{spec: &a {containers: [{image: " + one + "}]}}", "{spec: {containers: &a [{image: " + one + "}]}}"},
			second: []string{"{spec: *a }", "{spec: {<<: *a }}", "{spec: {containers: *a }}", "{spec: {containers: [{image: " + two + "}], initContainers: *a }}"},
		},
	}
	var texts []string
	for _, level := range levels {
		for _, first := range level.first {
			for _, second := range level.second {
				for _, also := range []string{"", "- {kind: ConfigMap, data: {x: *a }}\n", "- {kind: Store, metadata: {annotations: *a }}\n"} {
					texts = append(texts, fmt.Sprintf("kind: List\nitems:\n- kind: Deployment\n  spec: {template: %s}\n- kind: Deployment\n  spec: {template: %s}\n%s", first, second, also))
				}
			}
		}
	}
	return texts
}

func TestAnAnchorChangesNoOtherObject(t *testing.T) {
	t.Parallel()
	right, all := map[bool]int{}, 0
	for _, text := range sharings() {
		var before any
		if yaml.Unmarshal([]byte(text), &before) != nil {
			continue // a sequence where a mapping is merged, or the like
		}
		all++
		for _, annotate := range []bool{false, true} {
			got, err := Render([]byte(text), "", Options{Images: images(), Annotate: annotate})
			if err != nil {
				if !strings.Contains(err.Error(), "standard input:") || !strings.Contains(err.Error(), "an anchor puts") && !strings.Contains(err.Error(), "nothing can be added") {
					t.Errorf("annotate %v: %v\n%s", annotate, err, text)
				}
				continue
			}
			right[annotate]++
			if diff := cmp.Diff(ideal(parsed(t, []byte(text)), nil, annotate), parsed(t, got)); diff != "" {
				t.Errorf("annotate %v of\n%s\n(-want +got):\n%s", annotate, text, diff)
			}
		}
	}
	// Most of what is shared may be shared: only some of it has to be refused.
	t.Logf("%v of %d were rendered", right, all)
	if right[false] < all/2 || right[true] < all/5 {
		t.Errorf("only %v of %d were rendered", right, all)
	}
}

func TestWhatAnAnchorSharesIsSaidWithItsLine(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"a template that is merged": {
			"kind: List\nitems:\n- spec:\n    template: &pod\n      metadata:\n        labels: {app: store}\n" + pod(6, storage) + "- spec:\n    template:\n      <<: *pod\n" + pod(6, gateway),
			"my.yaml:6: an anchor puts this text in several places, where it would have to differ (annotations: {imageid.e2eimage.dev/datastorage: " + storageID + "}; or annotations: {imageid.e2eimage.dev/gateway: " + gatewayID + "}); write it out in each of them",
		},
		"annotations of two images": {
			"kind: List\nitems:\n- spec:\n    template:\n      metadata:\n        annotations: &common\n          team: payments\n" + pod(6, storage) + "- spec:\n    template:\n      metadata:\n        annotations: *common\n" + pod(6, gateway),
			"my.yaml:6: an anchor puts this text in several places",
		},
		"an image that is a label": {
			"kind: List\nitems:\n- kind: Pod\n  metadata: {labels: &l {image: " + "localhost/datastorage:old" + "}}\n- kind: Store\n  spec:\n    <<: *l\n",
			"my.yaml:4: an anchor puts this text in several places",
		},
		"what is in itself": {"kind: Pod\nimage: " + storage + "\nspec: &s\n  a: *s\n", "my.yaml:4: *s refers to itself"},
		"values without end": {
			"image: " + storage + "\na: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]\n",
			"its aliases make more than",
		},
		"merges without end": {
			"image: " + storage + "\na: &a {x: y}\n" + strings.Join(doublings(40), "") + "z: *m40\n",
			"its aliases make more than",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Render([]byte(test.text), "my.yaml", Options{Images: images(), Annotate: true})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

func doublings(n int) []string {
	lines := []string{"m0: &m0 {<<: [*a, *a]}\n"}
	for i := 1; i <= n; i++ {
		lines = append(lines, fmt.Sprintf("m%d: &m%d {<<: [*m%d, *m%d]}\n", i, i, i-1, i-1))
	}
	return lines
}
