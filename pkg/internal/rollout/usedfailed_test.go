package rollout

import (
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
)

func TestAFailedJobIsToldAndSoIsTheLastOfACronJob(t *testing.T) {
	t.Parallel()
	const why = "Job has reached the specified backoff limit"
	cron := aCronJob(kubetest.NewImage)
	made := func(name, image string, minute int, condition batchv1.JobConditionType) *batchv1.Job {
		job := kubetest.Job(image, inPhase(condition))
		job.Name = name
		job.CreationTimestamp = metav1.NewTime(time.Date(2026, 1, 1, 0, minute, 0, 0, time.UTC))
		job.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(cron, batchv1.SchemeGroupVersion.WithKind("CronJob"))}
		return job
	}
	failed := func(job *batchv1.Job) *batchv1.Job {
		job.Status.Conditions[0].Reason, job.Status.Conditions[0].Message = "BackoffLimitExceeded", why
		return job
	}
	for name, test := range map[string]struct {
		objects                 []runtime.Object
		of, phase, job, failure string
	}{
		"a Job":                  {[]runtime.Object{failed(kubetest.Job(kubetest.NewImage, inPhase(batchv1.JobFailed)))}, "job.batch/", "Failed", kubetest.Job(kubetest.NewImage).Name, why},
		"a Job that is complete": {[]runtime.Object{kubetest.Job(kubetest.NewImage, inPhase(batchv1.JobComplete))}, "job.batch/", "Complete", "", ""},
		"the last of a CronJob": {
			[]runtime.Object{cron, failed(made("sweep-2", kubetest.NewImage, 2, batchv1.JobFailed)), made("sweep-1", kubetest.NewImage, 1, batchv1.JobComplete)},
			"cronjob.batch/", "Scheduled", "sweep-2", why,
		},
		"one that another has followed": {
			[]runtime.Object{cron, failed(made("sweep-1", kubetest.NewImage, 1, batchv1.JobFailed)), made("sweep-2", kubetest.NewImage, 2, batchv1.JobComplete)},
			"cronjob.batch/", "Scheduled", "", "",
		},
		"one while the next runs": {
			[]runtime.Object{cron, failed(made("sweep-1", kubetest.NewImage, 1, batchv1.JobFailed)), made("sweep-2", kubetest.NewImage, 2, batchv1.JobSuspended)},
			"cronjob.batch/", "Scheduled", "sweep-1", why,
		},
		"one of the image before": {
			[]runtime.Object{cron, failed(made("sweep-1", kubetest.OldImage, 1, batchv1.JobFailed))}, "cronjob.batch/", "Scheduled", "", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			used, _, err := Usage(t.Context(), fake.NewClientset(test.objects...), "e2e")
			if err != nil || len(used) != 1 {
				t.Fatalf("%v, %v", used, err)
			}
			one := used[0]
			if !strings.HasPrefix(one.Name, test.of) || one.Phase != test.phase || one.FailedJob != test.job || one.Failure != test.failure {
				t.Errorf("%s is %s: job %q, %q", one.Name, one.Phase, one.FailedJob, one.Failure)
			}
		})
	}
}
