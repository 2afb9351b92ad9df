package rollout

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/utils/ptr"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// progressText says how far a rollout is in a few characters, for who waits.
func (v view) progressText() string {
	if v.object.Meta == nil {
		return "not seen yet"
	}
	rollout := judgeStatus(v.object)
	if job, ok := v.object.Object.(*batchv1.Job); ok {
		far := fmt.Sprintf("%d/%d complete", job.Status.Succeeded, ptr.Deref(job.Spec.Completions, 1))
		if job.Status.Failed > 0 {
			far += fmt.Sprintf(", %s failed", progress.Counted(int(job.Status.Failed), "pod"))
		}
		return joined(far, worstTrouble(v.current))
	}
	ready := int32(0)
	for _, pod := range v.current {
		if podReady(pod) {
			ready++
		}
	}
	if ready >= rollout.pods && rollout.waiting != "" {
		return rollout.waiting
	}
	return joined(fmt.Sprintf("%d/%d ready", ready, rollout.pods), worstTrouble(v.current))
}

// joined adds what there is to be added.
func joined(far, trouble string) string {
	if trouble == "" {
		return far
	}
	return far + ", " + trouble
}

// finalState says what a workload is once it is rolled out.
func finalState(o kube.Object) string {
	job, ok := o.Object.(*batchv1.Job)
	switch {
	case !ok:
		return "ready"
	case job.Spec.Suspend != nil && *job.Spec.Suspend:
		return "suspended"
	}
	return "complete"
}
