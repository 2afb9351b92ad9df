package rollout

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// The kinds that roll nothing out: they have their pods, or will have, or are one.

// judgeReplicaSet: that its pods are of its template, which it does not see to, is
// told from the pods.
func judgeReplicaSet(s *appsv1.ReplicaSet) rolloutStatus {
	replicas, status := ptr.Deref(s.Spec.Replicas, 1), s.Status
	progress := rolloutStatus{pods: replicas, desired: replicas}
	if replicas == 0 {
		progress.idle = "it has 0 replicas"
	}
	switch {
	case status.ObservedGeneration < s.Generation:
		progress.waiting = statusUnseen
		return progress
	case status.Replicas != replicas:
		progress.waiting = fmt.Sprintf("%d of %d replicas", status.Replicas, replicas)
	case status.AvailableReplicas < replicas:
		progress.waiting = fmt.Sprintf("%d of %d replicas available", status.AvailableReplicas, replicas)
	default:
		progress.done = true
		return progress
	}
	for _, condition := range status.Conditions {
		if condition.Type == appsv1.ReplicaSetReplicaFailure && condition.Status == corev1.ConditionTrue {
			progress.pending = &problem{reason: condition.Reason, message: condition.Message}
		}
	}
	return progress
}

// judgeJob waits until the Job is complete, as
// `kubectl wait --for=condition=Complete` does, and fails when it has failed.
func judgeJob(j *batchv1.Job) rolloutStatus {
	wanted := ptr.Deref(j.Spec.Completions, 1)
	progress := rolloutStatus{
		waiting: fmt.Sprintf("%d of %d completions", j.Status.Succeeded, wanted), desired: 1, phase: "Running",
	}
	switch {
	case kube.JobCondition(j, batchv1.JobComplete) != nil:
		progress.done, progress.waiting, progress.phase = true, "", "Complete"
	case kube.JobCondition(j, batchv1.JobFailed) != nil:
		condition := kube.JobCondition(j, batchv1.JobFailed)
		progress.phase = "Failed"
		progress.impossible = &FailedError{
			Reason: condition.Reason, Message: "the Job has failed: " + condition.Message,
			Hint: "fix the cause, then recreate it: kubectl e2eimage deploy --replace",
		}
	case j.Spec.Suspend != nil && *j.Spec.Suspend:
		progress.done, progress.desired, progress.idle, progress.phase = true, 0, "it is suspended", "Suspended"
	}
	return progress
}

// judgeCronJob has nothing to wait for: the Jobs that it makes from now on have the
// images.
func judgeCronJob(c *batchv1.CronJob) rolloutStatus {
	idle := fmt.Sprintf("its next Job comes by its schedule %q", c.Spec.Schedule)
	if c.Spec.Suspend != nil && *c.Spec.Suspend {
		idle = "it is suspended"
	}
	return rolloutStatus{done: true, idle: idle, phase: "Scheduled"}
}

// judgePod waits until the Pod is ready, as `kubectl wait --for=condition=Ready`
// does, or has succeeded.
func judgePod(pod *corev1.Pod) rolloutStatus {
	progress := rolloutStatus{pods: 1, desired: 1}
	switch {
	case pod.Status.Phase == corev1.PodSucceeded || podReady(pod):
		progress.done = true
	case pod.Status.Phase == corev1.PodFailed:
		progress.impossible = &FailedError{
			Reason: "PodFailed", Message: "the Pod has failed",
			Hint: "fix the cause, then recreate it: kubectl e2eimage deploy --replace",
		}
		if why := pod.Status.Reason + " " + pod.Status.Message; why != " " {
			progress.impossible.Message += ": " + why
		}
	default:
		progress.waiting = "it is not ready"
	}
	return progress
}
