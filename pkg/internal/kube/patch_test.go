package kube_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
)

func TestBuildPatch(t *testing.T) {
	t.Parallel()
	const head = `{"metadata":{"resourceVersion":"7","annotations":{"e2eimage.dev/consumer":"suite"}}`
	const stamp = `"metadata":{"annotations":{"imageid.e2eimage.dev/datastorage":"` + kubetest.NewID + `"}}`
	stamped := func(id string) func(*appsv1.Deployment) {
		return func(d *appsv1.Deployment) {
			d.Spec.Template.Annotations = map[string]string{kube.ImageIDPrefix + "datastorage": id}
		}
	}
	always := func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers[0].ImagePullPolicy = corev1.PullAlways
	}
	for _, test := range []struct {
		name        string
		has         *appsv1.Deployment
		replaceMark bool
		want        string
	}{
		{name: "nothing is sent when image and policy are right, though no image ID is noted", has: kubetest.Deployment(kubetest.NewImage)},
		{name: "nothing is sent when the noted image ID is right too", has: kubetest.Deployment(kubetest.NewImage, stamped(kubetest.NewID))},
		{
			name: "new content under an old tag rolls out", has: kubetest.Deployment(kubetest.NewImage, stamped("sha256:old")),
			want: head + `,"spec":{"template":{` + stamp + `}}}`,
		},
		{
			name: "another image, and the policy is left out as it may stay", has: kubetest.Deployment(kubetest.OldImage),
			want: head + `,"spec":{"template":{` + stamp + `,"spec":{"containers":[{"name":"server","image":"` + kubetest.NewImage + `"}]}}}}`,
		},
		{
			name: "only the policy is wrong", has: kubetest.Deployment(kubetest.NewImage, always),
			want: head + `,"spec":{"template":{` + stamp + `,"spec":{"containers":[{"name":"server","imagePullPolicy":"Never"}]}}}}`,
		},
		{
			name: "an init container and a container that is right already",
			has: kubetest.Deployment(kubetest.NewImage, func(d *appsv1.Deployment) {
				d.Spec.Template.Spec.InitContainers = []corev1.Container{kubetest.Container("migrate", kubetest.OldImage)}
			}),
			want: head + `,"spec":{"template":{` + stamp + `,"spec":{"initContainers":[{"name":"migrate","image":"` + kubetest.NewImage + `"}]}}}}`,
		},
		{name: "only the mark is replaced, without a restart", has: kubetest.Deployment(kubetest.NewImage), replaceMark: true, want: head + `}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o, err := kube.AsObject(test.has)
			if err != nil {
				t.Fatal(err)
			}
			assigned, err := kube.Assign([]kube.Image{kubetest.Datastorage()}, &o.Template.Spec)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if patch := kube.NewPatch(o, assigned, "suite", test.replaceMark); patch != nil {
				body, err := patch.Marshal(kube.Deployment)
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
	for k, want := range map[kube.Kind]string{
		kube.CronJob: `{"metadata":{"resourceVersion":"7","annotations":{"e2eimage.dev/consumer":"suite"}},"spec":{"jobTemplate":{"spec":{"template":{"metadata":{"annotations":{"imageid.e2eimage.dev/datastorage":"` + kubetest.NewID + `"}},"spec":{"containers":[{"name":"server","image":"` + kubetest.NewImage + `"}]}}}}}}`,
		kube.Pod:     `{"metadata":{"resourceVersion":"7","annotations":{"e2eimage.dev/consumer":"suite","imageid.e2eimage.dev/datastorage":"` + kubetest.NewID + `"}},"spec":{"containers":[{"name":"server","image":"` + kubetest.NewImage + `"}]}}`,
	} {
		o, _ := kube.AsObject(kubetest.Deployment(kubetest.OldImage))
		assigned, err := kube.Assign([]kube.Image{kubetest.Datastorage()}, &o.Template.Spec)
		if err != nil {
			t.Fatal(err)
		}
		got, err := kube.NewPatch(o, assigned, "suite", false).Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		var a, b any
		if json.Unmarshal(got, &a) != nil || json.Unmarshal([]byte(want), &b) != nil || !cmp.Equal(a, b) {
			t.Errorf("%s: %s, want %s", k, got, want)
		}
	}
}
