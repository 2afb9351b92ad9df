package rollout

import (
	"cmp"
	"maps"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// noteFailed notes that a Job has failed.
func (u *Used) noteFailed(job *batchv1.Job) {
	if condition := kube.JobCondition(job, batchv1.JobFailed); condition != nil {
		u.FailedJob, u.Failure = job.Name, cmp.Or(condition.Message, condition.Reason)
	}
}

// noteEnded notes a Job that a CronJob has made, if it is the last of those that have ended.
// Jobs are listed before CronJobs.
func (u *usage) noteEnded(o kube.Object) {
	job, is := o.Object.(*batchv1.Job)
	if !is || kube.JobCondition(job, batchv1.JobFailed) == nil && kube.JobCondition(job, batchv1.JobComplete) == nil {
		return
	}
	key := job.Namespace + "/" + metav1.GetControllerOf(job).Name
	if last := u.lastEnded[key]; last == nil || last.CreationTimestamp.Before(&job.CreationTimestamp) {
		u.lastEnded[key] = job
	}
}

// noteLastFailed notes that the last Job of a CronJob has failed. One with other images than
// the next is of before.
func (u *usage) noteLastFailed(job *batchv1.CronJob, used *Used) {
	last := u.lastEnded[job.Namespace+"/"+job.Name]
	if last == nil {
		return
	}
	next := &job.Spec.JobTemplate.Spec.Template.Spec
	if maps.Equal(kube.ImagesOf(&last.Spec.Template.Spec), kube.ImagesOf(next)) {
		used.noteFailed(last)
	}
}
