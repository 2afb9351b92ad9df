package rollout

import (
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// podStillToCome is how long to wait for the pod that shows why a Job has failed: the
// Job's end may be seen before the pod's.
func (j *judge) podStillToCome(v view, progress rolloutStatus, now time.Time) time.Duration {
	of, ok := v.object.Object.(*batchv1.Job)
	if !ok || progress.impossible == nil || of.Status.Failed == 0 || lastFailed(v.current) != nil {
		return 0
	}
	if j.failedAt.IsZero() {
		j.failedAt = now
	}
	return recheckDelay - now.Sub(j.failedAt)
}

// culprit is the pod that shows why a rollout failed: of a Job the one that failed
// last, else the first that is not ready.
func culprit(v view) *problem {
	if failed := lastFailed(v.current); failed != nil {
		return unreadyProblem(failed)
	}
	return firstUnready(v.current)
}

// lastFailed is the newest of the pods that have failed, nil for none.
func lastFailed(pods []*corev1.Pod) *corev1.Pod {
	var last *corev1.Pod
	for _, pod := range pods {
		if pod.Status.Phase == corev1.PodFailed && (last == nil || last.CreationTimestamp.Before(&pod.CreationTimestamp)) {
			last = pod
		}
	}
	return last
}
