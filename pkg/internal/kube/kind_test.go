package kube_test

import (
	"reflect"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

func TestARowOfTheTableIsAboutOneKind(t *testing.T) {
	t.Parallel()
	for _, k := range kube.Kinds() {
		t.Run(string(k), func(t *testing.T) {
			t.Parallel()
			gvk := k.GroupVersionKind()
			if got := kube.KindOf(gvk.GroupKind()); got != k {
				t.Errorf("%s is the kind %q", gvk, got)
			}
			ref, err := kube.ParseReference("e2e/"+k.Full()+"/x", "other")
			if err != nil || ref != (kube.Reference{Namespace: "e2e", Kind: k, Name: "x"}) {
				t.Errorf("%s is read as %+v, %v", k.Full(), ref, err)
			}
			u := &unstructured.Unstructured{Object: map[string]any{}}
			u.SetGroupVersionKind(gvk)
			u.SetName("x")
			u.SetNamespace("e2e")
			containers := []any{map[string]any{"name": "server"}}
			if err := unstructured.SetNestedSlice(u.Object, containers, append(k.TemplatePath(), "spec", "containers")...); err != nil {
				t.Fatal(err)
			}
			o, err := kube.Decode(u, k)
			if err != nil {
				t.Fatal(err)
			}
			if o.Meta.Name != "x" || len(o.Template.Spec.Containers) != 1 || o.Template.Spec.Containers[0].Name != "server" {
				t.Errorf("it is %+v with the template %+v", o.Meta, o.Template)
			}
			api := fake.NewClientset()
			client := k.Client(api, "e2e")
			if got, want := reflect.TypeOf(client.Empty), reflect.TypeOf(o.Object); got != want {
				t.Errorf("its client is for %s, not %s", got, want)
			}
			if _, err := client.Create(t.Context(), o.Object, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			if got := api.Actions()[0].GetResource(); got != gvk.GroupVersion().WithResource(k.Plural()) {
				t.Errorf("it was created as %s", got)
			}
			if there := kube.Names(t.Context(), api, "e2e"); len(there) != 1 || there[0] != string(k)+"/x" {
				t.Errorf("listed are %v", there)
			}
		})
	}
}

func TestAKindIsCalledAsKubectlCallsIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"deploy/x": "deployment.apps/x", "Deployments/x": "deployment.apps/x", "deployments.v1.apps/x": "deployment.apps/x",
		"sts/x": "statefulset.apps/x", "ds/x": "daemonset.apps/x", "rs/x": "replicaset.apps/x",
		"jobs.batch/x": "job.batch/x", "cj/x": "cronjob.batch/x", "po/x": "pod/x", "pods/x": "pod/x",
	} {
		if got, err := kube.ParseReference(text, "e2e"); err != nil || got.String() != want {
			t.Errorf("%s is %s, %v", text, got, err)
		}
	}
}
