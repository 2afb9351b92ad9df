package e2eimage

import (
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

func TestAJobThatHasFailedIsNotConsistent(t *testing.T) {
	t.Parallel()
	const why = "Job has reached the specified backoff limit"
	for name, test := range map[string]struct {
		condition batchv1.JobConditionType
		cron      bool
		image     string // "" for the recorded one
		state     State
		says      string
	}{
		"a Job that is complete":       {condition: batchv1.JobComplete, state: StateConsistent},
		"a Job that has failed":        {condition: batchv1.JobFailed, state: StateFailed, says: "job.batch/sweep has failed: " + why},
		"one with another image":       {condition: batchv1.JobFailed, image: "localhost/datastorage:old", state: StateDrifted, says: "job.batch/sweep is to run localhost/datastorage:old"},
		"the last Job of a CronJob":    {condition: batchv1.JobFailed, cron: true, state: StateFailed, says: "cronjob.batch/sweep: its last Job sweep has failed: " + why},
		"a CronJob whose last is done": {condition: batchv1.JobComplete, cron: true, state: StateConsistent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			image := b.tagged("suite")
			if test.image != "" {
				image = test.image
			}
			template := corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "sweep", Image: image}}}}
			job := &batchv1.Job{
				ObjectMeta: metav1.ObjectMeta{Name: "sweep", Namespace: namespace}, Spec: batchv1.JobSpec{Template: template},
				Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{{
					Type: test.condition, Status: corev1.ConditionTrue, Reason: "BackoffLimitExceeded", Message: why,
				}}},
			}
			if test.cron {
				cron := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "sweep", Namespace: namespace}}
				cron.Spec.JobTemplate.Spec.Template = template
				job.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(cron, schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "CronJob"})}
				if _, err := b.api.BatchV1().CronJobs(namespace).Create(t.Context(), cron, metav1.CreateOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := b.api.BatchV1().Jobs(namespace).Create(t.Context(), job, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			s := suite("suite", "datastorage")
			s.Freshness = config.FreshnessOff
			result, err := b.client().Status(t.Context(), StatusInput{Suite: s})
			if err != nil {
				t.Fatal(err)
			}
			if got := result.Images[0]; got.State != test.state || test.says != "" && (len(got.Problems) != 1 || !strings.HasPrefix(got.Problems[0].Text, test.says)) {
				t.Errorf("it is %s: %+v", got.State, got.Problems)
			}
			if _, err := b.client().Verify(t.Context(), VerifyInput{Suite: s}); as[*InconsistentError](err) != (test.state != StateConsistent) {
				t.Errorf("verify: %v", err)
			}
		})
	}
}
