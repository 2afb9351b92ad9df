package workload

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

func aJob(image string, edit ...func(*batchv1.Job)) *batchv1.Job {
	j := &batchv1.Job{ObjectMeta: metaOf("migrate"), Spec: batchv1.JobSpec{
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{batchv1.ControllerUidLabel: "uid-migrate"}},
		Template: template(container("server", image)),
	}}
	j.Spec.Template.Labels = map[string]string{"app": "datastorage", batchv1.ControllerUidLabel: "uid-migrate", "controller-uid": "uid-migrate"}
	j.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	j.Finalizers = []string{metav1.FinalizerDeleteDependents, "example.com/keep"}
	for _, change := range edit {
		change(j)
	}
	return j
}

func ofJob(condition batchv1.JobConditionType) func(*batchv1.Job) {
	return func(j *batchv1.Job) {
		j.Status.Conditions = []batchv1.JobCondition{{Type: condition, Status: corev1.ConditionTrue, Reason: "Why", Message: "because"}}
	}
}

func aBarePod(image string, edit ...func(*corev1.Pod)) *corev1.Pod {
	pod := aPod(&metav1.ObjectMeta{}, "single", image, edit...)
	pod.OwnerReferences = nil
	return pod
}

func on(workload string) Image {
	image := datastorage()
	image.Workloads = []string{workload}
	return image
}

func TestWhatCannotBeChangedIsReplacedOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	another := func(p *corev1.Pod) { p.Annotations = map[string]string{ImageIDPrefix + "datastorage": "sha256:other"} }
	for _, test := range []struct {
		name, workload string
		has            runtime.Object
		// want is the error without --replace, or the action.
		want, replaced string
	}{
		{"a Job with another image", "job/migrate", aJob(oldImage), "the pod template of a Job cannot be changed", "replaced"},
		{"a Job that is right", "job/migrate", aJob(newImage, ofJob(batchv1.JobComplete)), "unchanged", "unchanged"},
		{"a Job that is right and has failed", "job/migrate", aJob(newImage, ofJob(batchv1.JobFailed)), "unchanged", "replaced"},
		{"a CronJob", "cronjob/report", &batchv1.CronJob{ObjectMeta: metaOf("report"), Spec: batchv1.CronJobSpec{JobTemplate: batchv1.JobTemplateSpec{Spec: aJob(oldImage).Spec}}}, "image updated", "image updated"},
		{"a Pod with another image", "pod/single", aBarePod(oldImage), "image updated", "image updated"},
		{"a Pod that is right", "pod/single", aBarePod(newImage), "unchanged", "unchanged"},
		{"a Pod with other content of the same name", "pod/single", aBarePod(newImage, another), "the Pod runs other content of the same name", "replaced"},
		{"a Pod with another pull policy", "pod/single", aBarePod(newImage, func(p *corev1.Pod) { p.Spec.Containers[0].ImagePullPolicy = corev1.PullAlways }), "the pull policy of a Pod cannot be changed", "replaced"},
		{"a Pod with another init image", "pod/single", aBarePod(newImage, func(p *corev1.Pod) { p.Spec.InitContainers = []corev1.Container{container("init", oldImage)} }), "the init containers of a Pod run only once", "replaced"},
		{"a Pod with another image that has ended", "pod/single", aBarePod(oldImage, func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }), "the Pod has ended", "replaced"},
		{"a Pod that is right and has failed", "pod/single", aBarePod(newImage, func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }), "unchanged", "replaced"},
		{"a Pod of a ReplicaSet", "pod/single", aPod(&appsv1.ReplicaSet{ObjectMeta: metaOf("set")}, "single", oldImage), "belongs to Owner set", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, replace := range []bool{false, true} {
				api := fake.NewClientset(test.has.DeepCopyObject())
				o := options()
				o.Replace = replace
				image := on(test.workload)
				image.Aliases = []string{oldImage}
				got := ""
				plan, err := Prepare(t.Context(), api, o, []Image{image})
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
	api := fake.NewClientset(aJob(oldImage, ofJob(batchv1.JobFailed)))
	o := options()
	o.Replace = true
	plan, err := Prepare(t.Context(), api, o, []Image{on("job/migrate")})
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
		Namespace: "e2e", Name: "migrate", Annotations: map[string]string{ConsumerAnnotation: "suite"}, Finalizers: []string{"example.com/keep"},
	}, Spec: batchv1.JobSpec{Template: template(container("server", newImage))}}
	want.Spec.Template.Annotations = map[string]string{ImageIDPrefix + "datastorage": newID}
	got.ManagedFields = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPatchesHaveTheShapeOfTheirKind(t *testing.T) {
	t.Parallel()
	for k, want := range map[kind]string{
		cronJob: `{"metadata":{"resourceVersion":"7","annotations":{"e2eimage.dev/consumer":"suite"}},"spec":{"jobTemplate":{"spec":{"template":{"metadata":{"annotations":{"imageid.e2eimage.dev/datastorage":"` + newID + `"}},"spec":{"containers":[{"name":"server","image":"` + newImage + `"}]}}}}}}`,
		barePod: `{"metadata":{"resourceVersion":"7","annotations":{"e2eimage.dev/consumer":"suite","imageid.e2eimage.dev/datastorage":"` + newID + `"}},"spec":{"containers":[{"name":"server","image":"` + newImage + `"}]}}`,
	} {
		o, _ := asObject(aDeployment(oldImage))
		assigned, err := assign([]Image{datastorage()}, &o.template.Spec)
		if err != nil {
			t.Fatal(err)
		}
		got, err := buildPatch(o, assigned, "suite", false).bytes(k)
		if err != nil {
			t.Fatal(err)
		}
		var a, b any
		if json.Unmarshal(got, &a) != nil || json.Unmarshal([]byte(want), &b) != nil || !cmp.Equal(a, b) {
			t.Errorf("%s: %s, want %s", k, got, want)
		}
	}
}

func TestAJobIsDoneWhenItIsComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWait(t, []Image{on("job/migrate")}, aJob(newImage))
		pod := aPod(aJob(newImage), "migrate-1", newImage, notReady)
		pod.Labels = map[string]string{batchv1.ControllerUidLabel: "uid-migrate"}
		put(t, w.api, pod)
		<-time.After(20 * time.Second)
		// The Job's status may come before the pod's.
		put(t, w.api, aJob(newImage, ofJob(batchv1.JobComplete)))
		<-time.After(time.Second)
		pod = pod.DeepCopy()
		pod.Status.Phase = corev1.PodSucceeded
		put(t, w.api, pod)
		if took, err := w.end(); err != nil || took != 21*time.Second {
			t.Errorf("after %s error %v", took, err)
		}
		if running := w.rollouts.Running(); len(running) != 1 || running[0].ContainerID != "migrate-1-id" {
			t.Errorf("running is %+v", running)
		}
	})
}

func TestAJobFailsWithItsLastPod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWait(t, []Image{on("job/migrate")}, aJob(newImage))
		pod := aPod(aJob(newImage), "migrate-1", newImage, crashes(0))
		pod.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 17}}
		pod.Status.Phase = corev1.PodFailed
		pod.Labels = map[string]string{batchv1.ControllerUidLabel: "uid-migrate"}
		put(t, w.api, aJob(newImage, ofJob(batchv1.JobFailed), func(j *batchv1.Job) { j.Status.Failed = 1 }))
		<-time.After(time.Second)
		put(t, w.api, pod)
		_, err := w.end()
		failed := rolloutError(t, err)
		if failed.Reason != "Why" || failed.Pod != "migrate-1" || failed.Container != "server" || !strings.Contains(failed.Hint, "--replace") {
			t.Errorf("it says %+v", failed)
		}
	})
}

func TestAJobThatIsTakenAwayOnceItIsCompleteIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWait(t, []Image{on("job/migrate")}, aJob(newImage))
		jobs := w.api.BatchV1().Jobs("e2e")
		if _, err := jobs.Update(t.Context(), aJob(newImage, ofJob(batchv1.JobComplete)), metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := jobs.Delete(t.Context(), "migrate", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if took, err := w.end(); err != nil || took != 0 {
			t.Errorf("after %s error %v", took, err)
		}
	})
}

func TestAReplicaSetsPodsMayHaveMoreContainers(t *testing.T) {
	t.Parallel()
	set := &appsv1.ReplicaSet{ObjectMeta: metaOf("store"), Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(1)), Selector: &metav1.LabelSelector{MatchLabels: labels()}, Template: template(container("server", newImage))}}
	set.Status = appsv1.ReplicaSetStatus{ObservedGeneration: 1, Replicas: 1, AvailableReplicas: 1}
	injected := aPod(set, "store-1", newImage, func(p *corev1.Pod) { p.Spec.Containers = append(p.Spec.Containers, container("proxy", "mesh")) })
	old := aPod(set, "store-2", oldImage)
	for want, pods := range map[string][]*corev1.Pod{"": {injected}, "OldPods": {old}} {
		o, _ := asObject(set)
		v := view{}
		v.current, v.others = divide(o, pods, nil)
		got, _ := looks(t, set, true, v)
		if got.done != (want == "") || (got.failure != nil) != (want != "") || got.failure != nil && got.failure.Reason != want {
			t.Errorf("want %q, got %+v", want, got)
		}
	}
}
