package rollout

import (
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// splitByRevision returns the workload's pods by name: those of its current template
// that live, and all others that are there.
func splitByRevision(o kube.Object, pods []*corev1.Pod,
	replicaSets []*appsv1.ReplicaSet,
) (current, others []*corev1.Pod) {
	owned, isCurrent := ownedBy(o, pods, replicaSets), currentOf(o, pods, replicaSets)
	slices.SortFunc(owned, func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	for _, pod := range owned {
		if isCurrent(pod) && pod.DeletionTimestamp == nil && (!kube.HasEnded(pod) || ends(o)) {
			current = append(current, pod)
		} else {
			others = append(others, pod)
		}
	}
	return current, others
}

// ends tells whether the pods of the workload are made to end.
func ends(o kube.Object) bool {
	_, ok := o.Object.(*batchv1.Job)
	return ok
}

func ownedBy(o kube.Object, pods []*corev1.Pod, replicaSets []*appsv1.ReplicaSet) []*corev1.Pod {
	owners := []metav1.Object{o.Meta}
	for _, set := range replicaSets {
		if metav1.IsControlledBy(set, o.Meta) {
			owners = append(owners, set)
		}
	}
	var owned []*corev1.Pod
	for _, pod := range pods {
		if slices.ContainsFunc(owners, func(owner metav1.Object) bool { return metav1.IsControlledBy(pod, owner) }) {
			owned = append(owned, pod)
		}
	}
	return owned
}

// currentOf tells pods of the current template from others.
func currentOf(o kube.Object, pods []*corev1.Pod, replicaSets []*appsv1.ReplicaSet) func(*corev1.Pod) bool {
	switch raw := o.Object.(type) {
	case *appsv1.Deployment:
		set := currentReplicaSet(raw, replicaSets)
		return func(pod *corev1.Pod) bool { return set != nil && metav1.IsControlledBy(pod, set) }
	case *appsv1.StatefulSet:
		// Until the controller has seen the change, its update revision is the old one.
		seen := raw.Status.ObservedGeneration >= raw.Generation
		return func(pod *corev1.Pod) bool {
			return seen && pod.Labels[appsv1.ControllerRevisionHashLabelKey] == raw.Status.UpdateRevision
		}
	case *appsv1.DaemonSet:
		return currentOfDaemonSet(raw, pods)
	case *appsv1.ReplicaSet:
		return func(pod *corev1.Pod) bool {
			return kube.HasImagesOf(&pod.Spec, &raw.Spec.Template.Spec) &&
				maps.Equal(kube.ImageIDs(pod.Annotations), kube.ImageIDs(raw.Spec.Template.Annotations))
		}
	case *batchv1.Job:
		// Its template never changes.
		return func(*corev1.Pod) bool { return true }
	}
	return func(*corev1.Pod) bool { return false }
}

// currentReplicaSet is the oldest that has the Deployment's template, as its
// controller picks it.
func currentReplicaSet(d *appsv1.Deployment, replicaSets []*appsv1.ReplicaSet) *appsv1.ReplicaSet {
	var oldest *appsv1.ReplicaSet
	for _, set := range replicaSets {
		if !metav1.IsControlledBy(set, d) || !sameTemplate(set.Spec.Template, d.Spec.Template) {
			continue
		}
		if oldest == nil || set.CreationTimestamp.Before(&oldest.CreationTimestamp) {
			oldest = set
		}
	}
	return oldest
}

// sameTemplate compares templates as the Deployment controller does: the hash
// label is its own addition.
func sameTemplate(a, b corev1.PodTemplateSpec) bool {
	return maps.Equal(withoutHash(a.Labels), withoutHash(b.Labels)) &&
		maps.Equal(a.Annotations, b.Annotations) && equality.Semantic.DeepEqual(a.Spec, b.Spec)
}

func withoutHash(labels map[string]string) map[string]string {
	labels = maps.Clone(labels)
	delete(labels, appsv1.DefaultDeploymentUniqueLabelKey)
	return labels
}

// daemonSetGeneration is the pod label with the template's generation.
const daemonSetGeneration = "pod-template-generation"

// currentOfDaemonSet goes by the template's generation, and like the controller
// also by its hash: a change that was taken back leaves pods of an older
// generation with the current template. That hash is known from pods of the
// current generation; where there are none, from the controller calling every
// pod updated, and then only pods with the template's images count: the caches
// of pods and DaemonSet are not in step.
func currentOfDaemonSet(d *appsv1.DaemonSet, pods []*corev1.Pod) func(*corev1.Pod) bool {
	generation := d.Annotations[appsv1.DeprecatedTemplateGeneration]
	ofGeneration := func(pod *corev1.Pod) bool { return pod.Labels[daemonSetGeneration] == generation }
	hashes := map[string]bool{}
	for _, pod := range pods {
		if metav1.IsControlledBy(pod, d) && ofGeneration(pod) {
			hashes[pod.Labels[appsv1.ControllerRevisionHashLabelKey]] = true
		}
	}
	delete(hashes, "")
	allUpdated := d.Status.ObservedGeneration >= d.Generation &&
		d.Status.UpdatedNumberScheduled >= d.Status.DesiredNumberScheduled
	return func(pod *corev1.Pod) bool {
		return ofGeneration(pod) || hashes[pod.Labels[appsv1.ControllerRevisionHashLabelKey]] ||
			allUpdated && kube.HasImagesOf(&pod.Spec, &d.Spec.Template.Spec)
	}
}
