package workload

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

func TestBuildPatch(t *testing.T) {
	t.Parallel()
	const head = `{"metadata":{"resourceVersion":"7","annotations":{"e2eimage.dev/consumer":"suite"}}`
	const stamp = `"metadata":{"annotations":{"imageid.e2eimage.dev/datastorage":"` + newID + `"}}`
	stamped := func(id string) func(*appsv1.Deployment) {
		return func(d *appsv1.Deployment) {
			d.Spec.Template.Annotations = map[string]string{ImageIDPrefix + "datastorage": id}
		}
	}
	always := func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers[0].ImagePullPolicy = corev1.PullAlways
	}
	for _, test := range []struct {
		name   string
		has    *appsv1.Deployment
		remark bool
		want   string
	}{
		{name: "nothing is sent when image and policy are right, though no image ID is noted", has: aDeployment(newImage)},
		{name: "nothing is sent when the noted image ID is right too", has: aDeployment(newImage, stamped(newID))},
		{
			name: "new content under an old tag rolls out", has: aDeployment(newImage, stamped("sha256:old")),
			want: head + `,"spec":{"template":{` + stamp + `}}}`,
		},
		{
			name: "another image, and the policy is left out as it may stay", has: aDeployment(oldImage),
			want: head + `,"spec":{"template":{` + stamp + `,"spec":{"containers":[{"name":"server","image":"` + newImage + `"}]}}}}`,
		},
		{
			name: "only the policy is wrong", has: aDeployment(newImage, always),
			want: head + `,"spec":{"template":{` + stamp + `,"spec":{"containers":[{"name":"server","imagePullPolicy":"Never"}]}}}}`,
		},
		{
			name: "an init container and a container that is right already",
			has: aDeployment(newImage, func(d *appsv1.Deployment) {
				d.Spec.Template.Spec.InitContainers = []corev1.Container{container("migrate", oldImage)}
			}),
			want: head + `,"spec":{"template":{` + stamp + `,"spec":{"initContainers":[{"name":"migrate","image":"` + newImage + `"}]}}}}`,
		},
		{name: "only the mark is replaced, without a restart", has: aDeployment(newImage), remark: true, want: head + `}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o, err := asObject(test.has)
			if err != nil {
				t.Fatal(err)
			}
			assigned, err := assign([]Image{datastorage()}, &o.template.Spec)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if patch := buildPatch(o, assigned, "suite", test.remark); patch != nil {
				body, err := patch.bytes(deployment)
				if err != nil {
					t.Fatal(err)
				}
				got = string(body)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPatchesHaveTheShapeOfTheirKind(t *testing.T) {
	t.Parallel()
	for k, want := range map[kind]string{
		cronJob: `{"metadata":{"resourceVersion":"7","annotations":{"e2eimage.dev/consumer":"suite"}},"spec":{"jobTemplate":{"spec":{"template":{"metadata":{"annotations":{"imageid.e2eimage.dev/datastorage":"` + newID + `"}},"spec":{"containers":[{"name":"server","image":"` + newImage + `"}]}}}}}}`,
		barePod: `{"metadata":{"resourceVersion":"7","annotations":{"e2eimage.dev/consumer":"suite","imageid.e2eimage.dev/datastorage":"` + newID + `"}},"spec":{"containers":[{"name":"server","image":"` + newImage + `"}]}}`,
	} {
		o, _ := asObject(aDeployment(oldImage))
		assigned, err := assign([]Image{datastorage()}, &o.template.Spec)
		if err != nil {
			t.Fatal(err)
		}
		got, err := buildPatch(o, assigned, "suite", false).bytes(k)
		if err != nil {
			t.Fatal(err)
		}
		var a, b any
		if json.Unmarshal(got, &a) != nil || json.Unmarshal([]byte(want), &b) != nil || !cmp.Equal(a, b) {
			t.Errorf("%s: %s, want %s", k, got, want)
		}
	}
}
