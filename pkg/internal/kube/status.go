package kube

import (
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// HasEnded: an evicted or finished pod stays to be looked at and is replaced.
func HasEnded(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
}

// ContainerStatuses are those of all containers of a pod, in the order in which they begin.
func ContainerStatuses(pod *corev1.Pod) []corev1.ContainerStatus {
	return append(slices.Clone(pod.Status.InitContainerStatuses), pod.Status.ContainerStatuses...)
}

// ContainerIDs are the IDs of a pod's containers by their names, without the runtime's
// prefix; "" for those that were not started.
func ContainerIDs(pod *corev1.Pod) map[string]string {
	ids := map[string]string{}
	for _, status := range ContainerStatuses(pod) {
		_, ids[status.Name], _ = strings.Cut(status.ContainerID, "://")
	}
	return ids
}

// JobCondition is a condition that is true, nil for none.
func JobCondition(j *batchv1.Job, of batchv1.JobConditionType) *batchv1.JobCondition {
	for i, condition := range j.Status.Conditions {
		if condition.Type == of && condition.Status == corev1.ConditionTrue {
			return &j.Status.Conditions[i]
		}
	}
	return nil
}
