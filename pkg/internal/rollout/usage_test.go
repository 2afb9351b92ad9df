package rollout

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
)

func TestWhoMayListPodsOfOneNamespaceSeesTheWorkloadsOfThatOne(t *testing.T) {
	t.Parallel()
	elsewhere := kubetest.Deployment(kubetest.NewImage, kubetest.RolledOut, func(d *appsv1.Deployment) { d.Namespace = "elsewhere" })
	api := fake.NewClientset(elsewhere, kubetest.Deployment(kubetest.NewImage, kubetest.RolledOut))
	api.PrependReactor("list", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		return action.GetNamespace() == "", nil, apierrors.NewForbidden(corev1.Resource("pods"), "", nil)
	})
	used, unseen, err := Usage(t.Context(), api, "e2e")
	var names []string
	for _, one := range used {
		names = append(names, one.Namespace+"/"+one.Name)
	}
	if diff := cmp.Diff([]string{"e2e/deployment.apps/datastorage"}, names); diff != "" || len(unseen.Kinds) != 0 || err != nil {
		t.Errorf("%s, unseen %v, error %v", diff, unseen, err)
	}
}

func TestPodsThatAPartitionKeepsAreNotWanted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		updated, wanted int32
		second          func(*corev1.Pod)
		settled         bool
	}{
		"all above it are updated": {2, 2, func(*corev1.Pod) {}, true},
		"one is still to come":     {1, 2, func(p *corev1.Pod) { p.Labels[appsv1.StatefulSetRevisionLabel] = "store-old" }, false},
		"one is broken":            {2, 2, kubetest.NotReady, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// What is below it may be broken, and says nothing of the rollout.
			s := kubetest.StatefulSet(kubetest.NewImage, 3, partition(1), func(s *appsv1.StatefulSet) { s.Status.UpdatedReplicas = test.updated })
			objects := []runtime.Object{s}
			for i, edit := range []func(*corev1.Pod){kubetest.NotReady, test.second, func(*corev1.Pod) {}} {
				objects = append(objects, kubetest.Pod(s, fmt.Sprintf("store-%d", i), kubetest.NewImage, func(p *corev1.Pod) {
					p.OwnerReferences[0].Kind = "StatefulSet"
					metav1.SetMetaDataLabel(&p.ObjectMeta, appsv1.StatefulSetRevisionLabel, map[bool]string{true: "store-new", false: "store-old"}[i > 0])
				}, edit))
			}
			used, _, err := Usage(t.Context(), fake.NewClientset(objects...), "e2e")
			if err != nil || len(used) != 1 || used[0].Wanted != int(test.wanted) || used[0].Settled != test.settled {
				t.Errorf("wanted %d, updated %d, settled %t, %v", used[0].Wanted, used[0].Updated, used[0].Settled, err)
			}
		})
	}
}

func TestStatusJudgesARolloutAsDeployDoes(t *testing.T) {
	t.Parallel()
	three := func(edit func(*appsv1.DeploymentStatus)) *appsv1.Deployment {
		return kubetest.Deployment(kubetest.NewImage, func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(3)) }, kubetest.RolledOut, func(d *appsv1.Deployment) { edit(&d.Status) })
	}
	agents := func(edit func(*appsv1.DaemonSet)) *appsv1.DaemonSet {
		return kubetest.DaemonSet(kubetest.NewImage, 3, edit)
	}
	for name, test := range map[string]struct {
		has     runtime.Object
		updated int
		settled bool
	}{
		"a Deployment that is rolled out":       {three(func(*appsv1.DeploymentStatus) {}), 3, true},
		"a Deployment whose change is not seen": {three(func(s *appsv1.DeploymentStatus) { s.ObservedGeneration = 0 }), 3, false},
		"a Deployment of which one is updated":  {three(func(s *appsv1.DeploymentStatus) { s.UpdatedReplicas = 1 }), 1, false},
		"a Deployment with an old pod left":     {three(func(s *appsv1.DeploymentStatus) { s.Replicas, s.AvailableReplicas = 4, 4 }), 3, false},
		"a Deployment with one not available":   {three(func(s *appsv1.DeploymentStatus) { s.AvailableReplicas = 2 }), 2, false},
		"a DaemonSet that is rolled out":        {agents(func(*appsv1.DaemonSet) {}), 3, true},
		"a DaemonSet of which two are updated":  {agents(func(d *appsv1.DaemonSet) { d.Status.UpdatedNumberScheduled = 2 }), 2, false},
		"a DaemonSet with one not available":    {agents(func(d *appsv1.DaemonSet) { d.Status.NumberAvailable = 2 }), 2, false},
		"a Job that runs, which has its phase":  {kubetest.Job(kubetest.NewImage), 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			used, _, err := Usage(t.Context(), fake.NewClientset(test.has), "e2e")
			if err != nil || len(used) != 1 || used[0].Updated != test.updated || used[0].Settled != test.settled {
				t.Errorf("%+v, %v", used, err)
			}
			o, err := kube.AsObject(test.has)
			if err != nil {
				t.Fatal(err)
			}
			if done := judgeStatus(o).done; done != test.settled && used[0].Phase == "" {
				t.Errorf("deploy calls it done: %t", done)
			}
		})
	}
}

func TestWhatKeepsPodsFromBeingReadyIsTold(t *testing.T) {
	t.Parallel()
	d := kubetest.Deployment(kubetest.NewImage)
	for name, test := range map[string]struct {
		pod    func(*corev1.Pod)
		image  string
		words  string
		failed bool
	}{
		"it crashes again and again":   {kubetest.Crashes(3), kubetest.NewImage, "restarted 3 times, last exit code 17", true},
		"it may come through":          {kubetest.Crashes(2), kubetest.NewImage, "restarted 2 times, last exit code 17", false},
		"its image is not on the node": {kubetest.Waits("ErrImageNeverPull", "x"), kubetest.NewImage, "ErrImageNeverPull", true},
		"it is only being made":        {kubetest.Waits("ContainerCreating", ""), kubetest.NewImage, "", false},
		"it is of the rollout before":  {kubetest.Crashes(3), kubetest.OldImage, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			used := &Used{Pods: []UsedPod{usedPod(kubetest.Pod(kubetest.ReplicaSet(d, "new"), "new-1", kubetest.NewImage, test.pod))}}
			if words, failed := used.Trouble(kube.Image{Image: test.image, MaxRestarts: 3}, time.Now()); words != test.words || failed != test.failed {
				t.Errorf("%q, failed %t", words, failed)
			}
		})
	}
}
