package rollout

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
)

// noPods scales a Deployment down.
func noPods(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(0)) }

// notStarted is a pod that has not started a container.
func notStarted(p *corev1.Pod) {
	p.Status = corev1.PodStatus{Phase: corev1.PodPending}
}

func ofKind(kind string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.OwnerReferences[0].Kind = kind }
}

func alone(p *corev1.Pod) { p.OwnerReferences = nil }

func hashed(p *corev1.Pod) {
	metav1.SetMetaDataLabel(&p.ObjectMeta, appsv1.DefaultDeploymentUniqueLabelKey, "7d9")
}

func aCronJob(image string) *batchv1.CronJob {
	return &batchv1.CronJob{ObjectMeta: kubetest.MetaOf("sweep"), Spec: batchv1.CronJobSpec{
		JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: kubetest.Template(kubetest.Container("server", image))}},
	}}
}

func inPhase(condition batchv1.JobConditionType) func(*batchv1.Job) {
	return func(j *batchv1.Job) {
		j.Status.Conditions = []batchv1.JobCondition{{Type: condition, Status: corev1.ConditionTrue}}
	}
}

// madeByCronJob is a Job's pod whose Job has a CronJob.
func madeByCronJob() []runtime.Object {
	job := kubetest.Job(kubetest.OldImage, func(j *batchv1.Job) {
		j.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(aCronJob(kubetest.NewImage), batchv1.SchemeGroupVersion.WithKind("CronJob"))}
	})
	return []runtime.Object{aCronJob(kubetest.NewImage), job, kubetest.Pod(job, "sweep-1", kubetest.OldImage, notStarted, ofKind("Job"))}
}

func TestAnImageIsHeldByWhateverHasPodsOrWillHave(t *testing.T) {
	t.Parallel()
	deployment := kubetest.Deployment(kubetest.NewImage)
	set := kubetest.ReplicaSet(deployment, "7d9")
	own := kubetest.ReplicaSet(deployment, "own")
	own.OwnerReferences, own.Spec.Replicas = nil, new(int32(0))
	own.Spec.Template.Spec.Containers[0].Image = kubetest.OldImage
	withVolume := kubetest.Pod(set, "volume", kubetest.NewImage, alone, func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{VolumeSource: corev1.VolumeSource{Image: &corev1.ImageVolumeSource{Reference: kubetest.OldImage}}}}
	})
	debugged := kubetest.Pod(set, "debugged", kubetest.NewImage, alone, func(p *corev1.Pod) {
		p.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debugger", Image: kubetest.OldImage}}}
	})
	for name, test := range map[string]struct {
		objects []runtime.Object
		want    []Holder
	}{
		"a pod with it as a debugger":   {[]runtime.Object{debugged}, []Holder{{"pod/debugged", "e2e", ""}}},
		"nothing":                       {[]runtime.Object{kubetest.Deployment(kubetest.NewImage)}, nil},
		"a Deployment":                  {[]runtime.Object{kubetest.Deployment(kubetest.OldImage)}, []Holder{{"deployment.apps/datastorage", "e2e", ""}}},
		"a Deployment without replicas": {[]runtime.Object{kubetest.Deployment(kubetest.OldImage, noPods)}, []Holder{{"deployment.apps/datastorage", "e2e", "0 replicas"}}},
		"a Deployment by an init container": {[]runtime.Object{kubetest.Deployment(kubetest.NewImage, func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.InitContainers = []corev1.Container{kubetest.Container("init", kubetest.OldImage)}
		})}, []Holder{{"deployment.apps/datastorage", "e2e", ""}}},
		"its pod of before":                   {[]runtime.Object{kubetest.Deployment(kubetest.NewImage), set, kubetest.Pod(set, "old", kubetest.OldImage, notStarted, hashed, ofKind("ReplicaSet"))}, []Holder{{"deployment.apps/datastorage", "e2e", ""}}},
		"its ReplicaSet of before":            {[]runtime.Object{kubetest.Deployment(kubetest.NewImage), kubetest.ReplicaSet(kubetest.Deployment(kubetest.OldImage), "old")}, nil},
		"a ReplicaSet of its own":             {[]runtime.Object{own}, []Holder{{"replicaset.apps/datastorage-own", "e2e", "0 replicas"}}},
		"a StatefulSet without replicas":      {[]runtime.Object{kubetest.StatefulSet(kubetest.OldImage, 0)}, []Holder{{"statefulset.apps/store", "e2e", "0 replicas"}}},
		"a DaemonSet":                         {[]runtime.Object{kubetest.DaemonSet(kubetest.OldImage, 3)}, []Holder{{"daemonset.apps/agent", "e2e", ""}}},
		"a CronJob":                           {[]runtime.Object{aCronJob(kubetest.OldImage)}, []Holder{{"cronjob.batch/sweep", "e2e", "scheduled"}}},
		"a pod that a CronJob of before made": {madeByCronJob(), []Holder{{"pod/sweep-1", "e2e", ""}}},
		"a Job that is to run":                {[]runtime.Object{kubetest.Job(kubetest.OldImage)}, []Holder{{"job.batch/migrate", "e2e", "running"}}},
		"a Job that is suspended":             {[]runtime.Object{kubetest.Job(kubetest.OldImage, func(j *batchv1.Job) { j.Spec.Suspend = new(true) })}, []Holder{{"job.batch/migrate", "e2e", "suspended"}}},
		"a Job that is complete":              {[]runtime.Object{kubetest.Job(kubetest.OldImage, inPhase(batchv1.JobComplete))}, nil},
		"a Job that has failed":               {[]runtime.Object{kubetest.Job(kubetest.OldImage, inPhase(batchv1.JobFailed))}, nil},
		"a pod that waits to start":           {[]runtime.Object{kubetest.Pod(set, "lonely", kubetest.OldImage, notStarted, alone)}, []Holder{{"pod/lonely", "e2e", ""}}},
		"a pod with it as a volume":           {[]runtime.Object{withVolume}, []Holder{{"pod/volume", "e2e", ""}}},
		"a pod that has ended":                {[]runtime.Object{kubetest.Pod(set, "done", kubetest.OldImage, alone, func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded })}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			holders, err := ListHolders(t.Context(), fake.NewClientset(test.objects...), "e2e")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, holders.Of(kubetest.OldImage)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestKindsThatMayNotBeListedAreSaidByTheirHolders(t *testing.T) {
	t.Parallel()
	elsewhere := kubetest.Deployment(kubetest.OldImage, func(d *appsv1.Deployment) { d.Namespace = "elsewhere" })
	api := fake.NewClientset(elsewhere, kubetest.Deployment(kubetest.OldImage), aCronJob(kubetest.OldImage))
	api.PrependReactor("list", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		resource := action.GetResource().Resource
		denied := action.GetNamespace() == "" || resource == "cronjobs"
		return denied, nil, apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "", nil)
	})
	holders, err := ListHolders(t.Context(), api, "e2e")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"cronjobs"}, holders.Unseen); diff != "" || !holders.OneNamespace || len(holders.Of(kubetest.OldImage)) != 1 {
		t.Errorf("one namespace %t, holders %v, unseen (-want +got):\n%s", holders.OneNamespace, holders.Of(kubetest.OldImage), diff)
	}
	if got := len(api.Actions()); got != 8 {
		t.Errorf("%d calls", got)
	}
}
