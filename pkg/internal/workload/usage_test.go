package workload

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
)

func TestWhoMayListPodsOfOneNamespaceSeesTheWorkloadsOfThatOne(t *testing.T) {
	t.Parallel()
	elsewhere := aDeployment(newImage, rolledOut, func(d *appsv1.Deployment) { d.Namespace = "elsewhere" })
	api := fake.NewClientset(elsewhere, aDeployment(newImage, rolledOut))
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
		"one is broken":            {2, 2, notReady, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// What is below it may be broken, and says nothing of the rollout.
			s := aStatefulSet(newImage, 3, partition(1), func(s *appsv1.StatefulSet) { s.Status.UpdatedReplicas = test.updated })
			objects := []runtime.Object{s}
			for i, edit := range []func(*corev1.Pod){notReady, test.second, func(*corev1.Pod) {}} {
				objects = append(objects, aPod(s, fmt.Sprintf("store-%d", i), newImage, func(p *corev1.Pod) {
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
		return aDeployment(newImage, func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(3)) }, rolledOut, func(d *appsv1.Deployment) { edit(&d.Status) })
	}
	agents := func(edit func(*appsv1.DaemonSet)) *appsv1.DaemonSet { return aDaemonSet(newImage, 3, edit) }
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
		"a Job that runs, which has its phase":  {aJob(newImage), 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			used, _, err := Usage(t.Context(), fake.NewClientset(test.has), "e2e")
			if err != nil || len(used) != 1 || used[0].Updated != test.updated || used[0].Settled != test.settled {
				t.Errorf("%+v, %v", used, err)
			}
			o, err := asObject(test.has)
			if err != nil {
				t.Fatal(err)
			}
			if done := judgeRollout(o).done; done != test.settled && used[0].Phase == "" {
				t.Errorf("deploy calls it done: %t", done)
			}
		})
	}
}

func TestWhatKeepsPodsFromBeingReadyIsTold(t *testing.T) {
	t.Parallel()
	d := aDeployment(newImage)
	for name, test := range map[string]struct {
		pod    func(*corev1.Pod)
		image  string
		words  string
		failed bool
	}{
		"it crashes again and again":   {crashes(3), newImage, "restarted 3 times, last exit code 17", true},
		"it may come through":          {crashes(2), newImage, "restarted 2 times, last exit code 17", false},
		"its image is not on the node": {waits("ErrImageNeverPull", "x"), newImage, "ErrImageNeverPull", true},
		"it is only being made":        {waits("ContainerCreating", ""), newImage, "", false},
		"it is of the rollout before":  {crashes(3), oldImage, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			used := &Used{Pods: []UsedPod{usedPod(aPod(aReplicaSet(d, "new"), "new-1", newImage, test.pod))}}
			if words, failed := used.Trouble(test.image, 3, time.Now()); words != test.words || failed != test.failed {
				t.Errorf("%q, failed %t", words, failed)
			}
		})
	}
}
