package apply

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

func TestWhatCannotBeChangedIsReplacedOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	another := func(p *corev1.Pod) {
		p.Annotations = map[string]string{kube.ImageIDPrefix + "datastorage": "sha256:other"}
	}
	for _, test := range []struct {
		name, workload string
		has            runtime.Object
		// want is the error without --replace, or the action.
		want, replaced string
	}{
		{"a Job with another image", "job/migrate", kubetest.Job(kubetest.OldImage), "the pod template of a Job cannot be changed", "replaced"},
		{"a Job that is right", "job/migrate", kubetest.Job(kubetest.NewImage, kubetest.JobThatIs(batchv1.JobComplete)), "unchanged", "unchanged"},
		{"a Job that is right and has failed", "job/migrate", kubetest.Job(kubetest.NewImage, kubetest.JobThatIs(batchv1.JobFailed)), "unchanged", "replaced"},
		{"a CronJob", "cronjob/report", &batchv1.CronJob{ObjectMeta: kubetest.MetaOf("report"), Spec: batchv1.CronJobSpec{JobTemplate: batchv1.JobTemplateSpec{Spec: kubetest.Job(kubetest.OldImage).Spec}}}, "image updated", "image updated"},
		{"a Pod with another image", "pod/single", kubetest.BarePod(kubetest.OldImage), "image updated", "image updated"},
		{"a Pod that is right", "pod/single", kubetest.BarePod(kubetest.NewImage), "unchanged", "unchanged"},
		{"a Pod with other content of the same name", "pod/single", kubetest.BarePod(kubetest.NewImage, another), "the Pod runs other content of the same name", "replaced"},
		{"a Pod with another pull policy", "pod/single", kubetest.BarePod(kubetest.NewImage, func(p *corev1.Pod) { p.Spec.Containers[0].ImagePullPolicy = corev1.PullAlways }), "the pull policy of a Pod cannot be changed", "replaced"},
		{"a Pod with another init image", "pod/single", kubetest.BarePod(kubetest.NewImage, func(p *corev1.Pod) {
			p.Spec.InitContainers = []corev1.Container{kubetest.Container("init", kubetest.OldImage)}
		}), "the init containers of a Pod run only once", "replaced"},
		{"a Pod with another image that has ended", "pod/single", kubetest.BarePod(kubetest.OldImage, func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }), "the Pod has ended", "replaced"},
		{"a Pod that is right and has failed", "pod/single", kubetest.BarePod(kubetest.NewImage, func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }), "unchanged", "replaced"},
		{"a Pod of a ReplicaSet", "pod/single", kubetest.Pod(&appsv1.ReplicaSet{ObjectMeta: kubetest.MetaOf("set")}, "single", kubetest.OldImage), "belongs to Owner set", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, replace := range []bool{false, true} {
				api := fake.NewClientset(test.has.DeepCopyObject())
				o := options()
				o.Replace = replace
				image := kubetest.DatastorageOf(test.workload)
				image.Aliases = []string{kubetest.OldImage}
				got := ""
				plan, err := Prepare(t.Context(), api, o, []kube.Image{image})
				if err == nil {
					var changes []Change
					if changes, err = plan.Apply(t.Context(), progress.Discard{}); err == nil {
						got = string(changes[0].Action)
					}
				}
				want := test.want
				if replace && test.replaced != "" {
					want = test.replaced
				}
				if err != nil {
					got = err.Error()
				}
				if !strings.Contains(got, want) {
					t.Errorf("replace %t: %q, want %q", replace, got, want)
				}
			}
		})
	}
}

func TestAReplacedJobIsMadeOfWhatTheUserWrote(t *testing.T) {
	t.Parallel()
	api := fake.NewClientset(kubetest.Job(kubetest.OldImage, kubetest.JobThatIs(batchv1.JobFailed)))
	o := options()
	o.Replace = true
	plan, err := Prepare(t.Context(), api, o, []kube.Image{kubetest.DatastorageOf("job/migrate")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Apply(t.Context(), progress.Discard{}); err != nil {
		t.Fatal(err)
	}
	got, err := api.BatchV1().Jobs("e2e").Get(t.Context(), "migrate", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := &batchv1.Job{TypeMeta: metav1.TypeMeta{Kind: "Job", APIVersion: "batch/v1"}, ObjectMeta: metav1.ObjectMeta{
		Namespace: "e2e", Name: "migrate", Annotations: map[string]string{kube.ConsumerAnnotation: "suite"}, Finalizers: []string{"example.com/keep"},
	}, Spec: batchv1.JobSpec{Template: kubetest.Template(kubetest.Container("server", kubetest.NewImage))}}
	want.Spec.Template.Annotations = map[string]string{kube.ImageIDPrefix + "datastorage": kubetest.NewID}
	got.ManagedFields = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
