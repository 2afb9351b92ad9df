package apply

import (
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// sanitizeForCreate is a copy of a Job or Pod that can be created: without what the API
// server, the scheduler and the controllers wrote.
func sanitizeForCreate(o kube.Object) kube.Object {
	bare := o.Clone()
	switch raw := bare.Object.(type) {
	case *batchv1.Job:
		raw.Status = batchv1.JobStatus{}
		if raw.Spec.ManualSelector == nil || !*raw.Spec.ManualSelector {
			raw.Spec.Selector, raw.Spec.ManualSelector = nil, nil
			for _, meta := range []*metav1.ObjectMeta{&raw.ObjectMeta, &raw.Spec.Template.ObjectMeta} {
				// What the API server adds to Jobs (k8s.io/api/batch/v1/types.go).
				for _, label := range []string{"controller-uid", "job-name", batchv1.ControllerUidLabel, batchv1.JobNameLabel} {
					delete(meta.Labels, label)
				}
			}
		}
	case *corev1.Pod:
		raw.Status, raw.Spec.EphemeralContainers = corev1.PodStatus{}, nil
		if !setByUser(raw.ManagedFields, `"f:nodeName"`) {
			raw.Spec.NodeName = ""
		}
	}
	was := *bare.Meta
	*bare.Meta = metav1.ObjectMeta{
		Name: was.Name, Namespace: was.Namespace, Labels: was.Labels, Annotations: was.Annotations,
		OwnerReferences: was.OwnerReferences,
		Finalizers: slices.DeleteFunc(was.Finalizers, func(f string) bool {
			return f == metav1.FinalizerDeleteDependents || f == metav1.FinalizerOrphanDependents
		}),
	}
	return bare
}

// setByUser tells whether a field was written through the object itself, not
// a subresource as the scheduler does.
func setByUser(entries []metav1.ManagedFieldsEntry, field string) bool {
	return slices.ContainsFunc(entries, func(e metav1.ManagedFieldsEntry) bool {
		return e.Subresource == "" && e.FieldsV1 != nil && strings.Contains(e.FieldsV1.GetRawString(), field)
	})
}
