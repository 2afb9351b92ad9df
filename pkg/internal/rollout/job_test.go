package rollout

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
)

func TestAJobIsDoneWhenItIsComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWait(t, []kube.Image{kubetest.DatastorageOf("job/migrate")}, kubetest.Job(kubetest.NewImage))
		pod := kubetest.Pod(kubetest.Job(kubetest.NewImage), "migrate-1", kubetest.NewImage, kubetest.NotReady)
		pod.Labels = map[string]string{batchv1.ControllerUidLabel: "uid-migrate"}
		kubetest.Put(t, w.api, pod)
		<-time.After(20 * time.Second)
		// The Job's status may come before the pod's.
		kubetest.Put(t, w.api, kubetest.Job(kubetest.NewImage, kubetest.JobThatIs(batchv1.JobComplete)))
		<-time.After(time.Second)
		pod = pod.DeepCopy()
		pod.Status.Phase = corev1.PodSucceeded
		kubetest.Put(t, w.api, pod)
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
		w := startWait(t, []kube.Image{kubetest.DatastorageOf("job/migrate")}, kubetest.Job(kubetest.NewImage))
		pod := kubetest.Pod(kubetest.Job(kubetest.NewImage), "migrate-1", kubetest.NewImage, kubetest.Crashes(0))
		pod.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 17}}
		pod.Status.Phase = corev1.PodFailed
		pod.Labels = map[string]string{batchv1.ControllerUidLabel: "uid-migrate"}
		kubetest.Put(t, w.api, kubetest.Job(kubetest.NewImage, kubetest.JobThatIs(batchv1.JobFailed), func(j *batchv1.Job) { j.Status.Failed = 1 }))
		<-time.After(time.Second)
		kubetest.Put(t, w.api, pod)
		_, err := w.end()
		failed := rolloutError(t, err)
		if failed.Reason != "Why" || failed.Pod != "migrate-1" || failed.Container != "server" || !strings.Contains(failed.Hint, "--replace") {
			t.Errorf("it says %+v", failed)
		}
	})
}

func TestAJobThatIsTakenAwayOnceItIsCompleteIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWait(t, []kube.Image{kubetest.DatastorageOf("job/migrate")}, kubetest.Job(kubetest.NewImage))
		jobs := w.api.BatchV1().Jobs("e2e")
		if _, err := jobs.Update(t.Context(), kubetest.Job(kubetest.NewImage, kubetest.JobThatIs(batchv1.JobComplete)), metav1.UpdateOptions{}); err != nil {
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
	set := &appsv1.ReplicaSet{ObjectMeta: kubetest.MetaOf("store"), Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(1)), Selector: &metav1.LabelSelector{MatchLabels: kubetest.Labels()}, Template: kubetest.Template(kubetest.Container("server", kubetest.NewImage))}}
	set.Status = appsv1.ReplicaSetStatus{ObservedGeneration: 1, Replicas: 1, AvailableReplicas: 1}
	injected := kubetest.Pod(set, "store-1", kubetest.NewImage, func(p *corev1.Pod) {
		p.Spec.Containers = append(p.Spec.Containers, kubetest.Container("proxy", "mesh"))
	})
	old := kubetest.Pod(set, "store-2", kubetest.OldImage)
	for want, pods := range map[string][]*corev1.Pod{"": {injected}, "OldPods": {old}} {
		o, _ := kube.AsObject(set)
		v := view{}
		v.current, v.others = splitByRevision(o, pods, nil)
		got, _ := looks(t, set, true, v)
		if got.done != (want == "") || (got.failure != nil) != (want != "") || got.failure != nil && got.failure.Reason != want {
			t.Errorf("want %q, got %+v", want, got)
		}
	}
}
