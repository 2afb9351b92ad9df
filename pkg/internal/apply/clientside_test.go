package apply

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

func TestWhatWasAppliedClientSideIsInherited(t *testing.T) {
	t.Parallel()
	const note, data = `{"f:metadata":{"f:annotations":{"f:` + corev1.LastAppliedConfigAnnotation + `":{}}}}`, `{"f:data":{"f:a":{}}}`
	wrote := func(operation metav1.ManagedFieldsOperationType, fields string) []metav1.ManagedFieldsEntry {
		return []metav1.ManagedFieldsEntry{{Manager: "someone", Operation: operation, APIVersion: "v1", FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(fields)}}
	}
	for name, test := range map[string]struct {
		kind  kube.Kind
		wrote []metav1.ManagedFieldsEntry
		want  bool
	}{
		"by kubectl apply":                 {wrote: wrote(metav1.ManagedFieldsOperationUpdate, note), want: true},
		"a workload by kubectl apply":      {kind: kube.Deployment, wrote: wrote(metav1.ManagedFieldsOperationUpdate, note), want: true},
		"a Job, which cannot lose fields":  {kind: kube.Job, wrote: wrote(metav1.ManagedFieldsOperationUpdate, note)},
		"by kubectl edit":                  {wrote: wrote(metav1.ManagedFieldsOperationUpdate, data)},
		"by kubectl apply --server-side":   {wrote: wrote(metav1.ManagedFieldsOperationApply, note)},
		"by those who leave nothing of it": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			live := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
			live.SetManagedFields(test.wrote)
			a := &appliedObject{live: live, result: live}
			if test.kind != "" {
				a.target = &target{Target: kube.Target{Ref: kube.Reference{Kind: test.kind}}}
			}
			if got := a.adoptsClientSide(); got != test.want {
				t.Errorf("it is %t", got)
			}
			wanted := Unchanged
			if test.want {
				wanted = Configured
			}
			if got := a.action(DryRunServer); got != wanted {
				t.Errorf("a dry run says %s", got)
			}
		})
	}
	if (&appliedObject{}).adoptsClientSide() {
		t.Error("of what is not there nothing is inherited")
	}
}
