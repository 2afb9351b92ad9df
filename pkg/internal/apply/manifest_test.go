package apply

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
)

func TestObjectsAreAppliedInTheOrderInWhichTheyNeedEachOther(t *testing.T) {
	t.Parallel()
	text := ""
	for _, object := range []string{
		"admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration", "example.com/v1 Gizmo", "batch/v1 Job", "apps/v1 Deployment", "v1 Service",
		"v1 ConfigMap", "v1 Secret", "apiextensions.k8s.io/v1 CustomResourceDefinition", "v1 Namespace", "example.com/v1 Namespace",
	} {
		version, kind, _ := strings.Cut(object, " ")
		text += "---\napiVersion: " + version + "\nkind: " + kind + "\nmetadata: {name: x}\n"
	}
	objects, err := parse([]Manifest{{Name: "a.yaml", Text: []byte(text)}, {Text: []byte(`{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"listed"}}]}`)}})
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, o := range objects {
		order = append(order, o.String())
	}
	want := []string{
		"namespace/x", "customresourcedefinition.apiextensions.k8s.io/x", "secret/x", "configmap/x", "configmap/listed", "service/x",
		"deployment.apps/x", "job.batch/x", "gizmo.example.com/x", "namespace.example.com/x", "validatingwebhookconfiguration.admissionregistration.k8s.io/x",
	}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestManifestsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"no YAML":         {"a: [", "a.yaml"},
		"no kind":         {"a: b", "Object 'Kind' is missing"},
		"no object":       {"---\n# nothing\n---\n", "the manifests have no object"},
		"a generated one": {"{apiVersion: v1, kind: Pod, metadata: {generateName: x-}}", "a.yaml: a Pod has no metadata.name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := parse([]Manifest{{Name: "a.yaml", Text: []byte(test.text)}}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestWorkloadsAreDressedBeforeTheyAreMade(t *testing.T) {
	t.Parallel()
	const spec = `{initContainers: [{name: i, image: 'localhost/datastorage:wf-new', imagePullPolicy: Always}], containers: [{name: a, image: other}, {name: b, image: 'localhost/datastorage:wf-new'}]}`
	for _, test := range []struct {
		kind, text string
		path       []string
	}{
		{"Pod", "{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: " + spec + "}", nil},
		{"Deployment", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: {template: {spec: " + spec + "}}}", []string{"spec", "template"}},
		{"CronJob", "{apiVersion: batch/v1, kind: CronJob, metadata: {name: x}, spec: {jobTemplate: {spec: {template: {spec: " + spec + "}}}}}", []string{"spec", "jobTemplate", "spec", "template"}},
	} {
		t.Run(test.kind, func(t *testing.T) {
			t.Parallel()
			objects, err := parse([]Manifest{{Text: []byte(test.text)}})
			if err != nil {
				t.Fatal(err)
			}
			k := kube.KindOf(objects[0].GroupVersionKind().GroupKind())
			typed, err := kube.Decode(objects[0].Unstructured, k)
			if err != nil {
				t.Fatal(err)
			}
			if err := injectImages(objects[0].Unstructured, k, assignmentsIn(&typed.Template.Spec, []kube.Image{kubetest.Datastorage()}), nil, "suite"); err != nil {
				t.Fatal(err)
			}
			dressed, err := kube.Decode(objects[0].Unstructured, k)
			if err != nil {
				t.Fatal(err)
			}
			var policies []corev1.PullPolicy
			for _, c := range kube.Containers(&dressed.Template.Spec) {
				policies = append(policies, c.ImagePullPolicy)
			}
			if want := []corev1.PullPolicy{"Never", "", ""}; !slices.Equal(policies, want) {
				t.Errorf("pull policies %v, want %v", policies, want)
			}
			if dressed.Meta.Annotations[kube.ConsumerAnnotation] != "suite" || dressed.Template.Annotations[kube.ImageIDPrefix+"datastorage"] != kubetest.NewID {
				t.Errorf("annotations %v and %v", dressed.Meta.Annotations, dressed.Template.Annotations)
			}
		})
	}
}

func TestVolumesThatAreImagesAreDressed(t *testing.T) {
	t.Parallel()
	const text = "{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: [{name: a, image: other}], volumes: [{name: a, emptyDir: {}}, " +
		"{name: b, image: {reference: 'localhost/datastorage:wf-new', pullPolicy: Always}}, {name: c, image: {reference: other, pullPolicy: Always}}]}}"
	objects, err := parse([]Manifest{{Text: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := injectImages(objects[0].Unstructured, kube.Pod, nil, []kube.Image{kubetest.Datastorage()}, "suite"); err != nil {
		t.Fatal(err)
	}
	dressed, err := kube.Decode(objects[0].Unstructured, kube.Pod)
	if err != nil {
		t.Fatal(err)
	}
	volumes := dressed.Template.Spec.Volumes
	if volumes[1].Image.PullPolicy != corev1.PullNever || volumes[2].Image.PullPolicy != corev1.PullAlways {
		t.Errorf("volumes %v", volumes)
	}
	if dressed.Meta.Annotations[kube.ConsumerAnnotation] != "suite" || dressed.Template.Annotations[kube.ImageIDPrefix+"datastorage"] != kubetest.NewID {
		t.Errorf("annotations %v", dressed.Meta.Annotations)
	}
}

func TestATagThatWouldAlwaysBePulledIsNever(t *testing.T) {
	t.Parallel()
	image := kubetest.Datastorage()
	image.Image = "localhost/datastorage:latest"
	got := assignmentsIn(&corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: image.Image}}}, []kube.Image{image})
	if len(got) != 1 || got[0].PullPolicy() != corev1.PullNever {
		t.Errorf("%+v", got)
	}
}

func TestConflictsAreNamedByOwner(t *testing.T) {
	t.Parallel()
	err := apierrors.NewApplyConflict([]metav1.StatusCause{
		{Type: metav1.CauseTypeFieldManagerConflict, Message: `conflict with "kubectl-client-side-apply" using apps/v1`, Field: ".spec.a"},
		{Type: metav1.CauseTypeFieldManagerConflict, Message: `conflict with "kubectl-client-side-apply" using apps/v1`, Field: ".spec.b"},
		{Type: metav1.CauseTypeFieldManagerConflict, Message: `conflict with "hpa" with subresource "scale" using apps/v1`, Field: ".spec.replicas"},
	}, "conflicts")
	a := &appliedObject{object: manifestObject{Unstructured: &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "x", "namespace": "e2e"}}}}}
	want := `deployment.apps/x in namespace e2e: fields that the manifest sets belong to others:
  kubectl-client-side-apply: .spec.a .spec.b
  hpa: .spec.replicas
leave them out of the manifest, or take them over with --force-conflicts`
	if got := (&ownedError{where: a.where(), owned: conflictsOf(err)}).Error(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := conflictsOf(errors.New("x")); got != nil {
		t.Errorf("%v", got)
	}
}

func TestHelmsHooksOfOtherTimesAreLeftOut(t *testing.T) {
	t.Parallel()
	for hook, want := range map[string]string{
		"test": "test", "test-success": "test-success", "pre-delete": "pre-delete", "post-delete,pre-rollback": "post-delete, pre-rollback", "pre-upgrade": "pre-upgrade", "post-upgrade , test": "post-upgrade, test",
		"": "", "pre-install": "", "post-install": "", "pre-install, pre-upgrade": "", "post-upgrade,post-install": "", "crd-install": "",
	} {
		objects, err := parse([]Manifest{{Text: []byte("{apiVersion: v1, kind: Service, metadata: {name: a}}\n---\n{apiVersion: v1, kind: Pod, metadata: {name: x, annotations: {helm.sh/hook: '" + hook + "'}}}\n")}})
		if err != nil {
			t.Fatal(err)
		}
		rest, hooks := withoutHooks(objects)
		if want == "" && len(hooks) == 0 && len(rest) == 2 {
			continue
		}
		if len(rest) != 1 || !slices.Equal(hooks, []string{"pod/x (" + want + ")"}) {
			t.Errorf("%q: left out are %v", hook, hooks)
		}
	}
	// What is not applied need not have a name.
	if _, err := parse([]Manifest{{Text: []byte("{apiVersion: v1, kind: Pod, metadata: {generateName: x-, annotations: {helm.sh/hook: test}}}")}}); err != nil {
		t.Error(err)
	}
	_, err := PrepareManifests(t.Context(), Cluster{}, Options{}, nil, []Manifest{{Text: []byte("{apiVersion: v1, kind: Pod, metadata: {name: x, annotations: {helm.sh/hook: test}}}")}})
	if err == nil || !strings.Contains(err.Error(), "nothing but Helm's hooks, which are not applied: pod/x (test)") {
		t.Errorf("error %v", err)
	}
}

func TestAnImageIsFoundInLongerTexts(t *testing.T) {
	t.Parallel()
	const image = "localhost/x:suite-1"
	for text, want := range map[string]bool{
		image: true, "--worker-image=" + image: true, "a " + image + ".": true, "localhost/y:1," + image: true, `{"image":"` + image + `"}`: true, image + "2, " + image: true,
		"": false, image + "2": false, image + "-2": false, "my" + image: false, "reg/" + image: false, "localhost/x": false,
	} {
		for _, value := range []any{text, map[string]any{"a": []any{map[string]any{"b": text}}}, map[string]any{text: nil}} {
			if got := mentions(value, image); got != want {
				t.Errorf("%v: %v", value, got)
			}
		}
	}
}
