package rollout

import (
	"testing"
	"testing/synctest"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
)

func TestOnlyWhatHasADeadContainerIsWaitedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := kubetest.Deployment(kubetest.NewImage, kubetest.RolledOut)
		set := kubetest.ReplicaSet(d, "new")
		image := kubetest.Datastorage()
		image.Workloads = append(image.Workloads, "job/migrate")
		w := startWait(t, []kube.Image{image}, d, set, kubetest.Pod(set, "server", kubetest.NewImage), kubetest.Job(kubetest.NewImage, kubetest.JobThatIs(batchv1.JobComplete)))
		if err := <-w.err; err != nil {
			t.Fatal(err)
		}
		// What its ttl removes is not missed.
		if err := w.api.BatchV1().Jobs("e2e").Delete(t.Context(), "migrate", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		w.rollouts.MarkDead([]string{"server-id"})
		go func() { w.err <- w.rollouts.Wait(t.Context(), w.report) }()
		synctest.Wait()
		kubetest.Put(t, w.api, kubetest.Pod(set, "server", kubetest.NewImage, func(p *corev1.Pod) { p.Status.ContainerStatuses[0].ContainerID = "containerd://another-id" }))
		if _, err := w.end(); err != nil {
			t.Fatal(err)
		}
		if got := w.rollouts.Running(); len(got) != 1 || got[0].ContainerID != "another-id" {
			t.Errorf("running are %+v", got)
		}
	})
}

func TestAContainerStandsWhileItsPodHasIt(t *testing.T) {
	t.Parallel()
	now := metav1.Now()
	for name, test := range map[string]struct {
		edit func(*corev1.Pod)
		want bool
	}{
		"as it was seen":                    {func(*corev1.Pod) {}, true},
		"started anew":                      {func(p *corev1.Pod) { p.Status.ContainerStatuses[0].ContainerID = "containerd://another" }, false},
		"of a pod that is going":            {func(p *corev1.Pod) { p.DeletionTimestamp = &now; p.Finalizers = []string{"example.com/held"} }, false},
		"of a pod that is gone":             {func(p *corev1.Pod) { p.Name = "other" }, false},
		"of a pod that was made anew of it": {func(p *corev1.Pod) { p.Status.ContainerStatuses = nil }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pod := kubetest.Pod(kubetest.ReplicaSet(kubetest.Deployment(kubetest.NewImage), "new"), "server", kubetest.NewImage, test.edit)
			rollouts := &Rollouts{api: fake.NewClientset(pod)}
			got, err := rollouts.StillRuns(t.Context(), Running{Namespace: "e2e", Pod: "server", Container: "server", ContainerID: "server-id"})
			if err != nil || got != test.want {
				t.Errorf("%t, %v", got, err)
			}
		})
	}
}
