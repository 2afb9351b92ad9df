package workload

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
)

// ready says how far a rollout is in a few characters, for who waits.
func (v view) ready() string {
	if v.object.meta == nil {
		return "not seen yet"
	}
	progress := judgeRollout(v.object)
	if job, ok := v.object.Object.(*batchv1.Job); ok {
		return fmt.Sprintf("%d/%d complete", job.Status.Succeeded, valueOr(job.Spec.Completions, 1))
	}
	ready := int32(0)
	for _, pod := range v.current {
		if podReady(pod) {
			ready++
		}
	}
	if ready >= progress.pods && progress.waiting != "" {
		return progress.waiting
	}
	return fmt.Sprintf("%d/%d ready", ready, progress.pods)
}

// atEnd says what a workload is once it is rolled out.
func (o object) atEnd() string {
	job, ok := o.Object.(*batchv1.Job)
	switch {
	case !ok:
		return "ready"
	case job.Spec.Suspend != nil && *job.Spec.Suspend:
		return "suspended"
	}
	return "complete"
}
