package e2eimage

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// runsOn makes a Deployment that is rolled out on many nodes, with a pod on each.
func (b *registryBench) runsOn(name, image, imageID string, nodes int) {
	b.t.Helper()
	labels := map[string]string{"app": name, appsv1.DefaultDeploymentUniqueLabelKey: "1"}
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "server", Image: image, ImagePullPolicy: corev1.PullIfNotPresent}}},
	}
	count := int32(nodes)
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("d-" + name), Generation: 1},
		Spec:       appsv1.DeploymentSpec{Replicas: &count, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template},
		Status: appsv1.DeploymentStatus{
			ObservedGeneration: 1, Replicas: count, UpdatedReplicas: count, ReadyReplicas: count, AvailableReplicas: count,
		},
	}
	if err := b.api.Tracker().Add(deployment); err != nil {
		b.t.Fatal(err)
	}
	for i := range nodes {
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: namespace, Name: fmt.Sprintf("%s-1-%d", name, i), UID: types.UID(fmt.Sprintf("p-%s-%d", name, i)), Labels: labels,
				OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: name + "-1", UID: types.UID("r-" + name), Controller: new(true)}},
			},
			Spec: corev1.PodSpec{NodeName: fmt.Sprintf("node-%d", i), Containers: template.Spec.Containers},
			Status: corev1.PodStatus{
				Phase:      corev1.PodRunning,
				Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
				ContainerStatuses: []corev1.ContainerStatus{{
					Name: "server", Ready: true, Image: image, ImageID: imageID, ContainerID: fmt.Sprintf("containerd://%s-%d", name, i),
					State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(time.Now().Add(-time.Hour))}},
				}},
			},
		}
		if err := b.api.Tracker().Add(pod); err != nil {
			b.t.Fatal(err)
		}
	}
}

// What status and verify cost is the same for a thousand nodes as for ten.
func TestStatusAndVerifyCostNoMoreForAThousandNodes(t *testing.T) {
	t.Parallel()
	const images, fewNodes, manyNodes = 5, 10, 1000
	type cost struct {
		api, registry int
		took          time.Duration
		bytes         uint64
	}
	costs := map[int]cost{}
	for _, nodes := range []int{fewNodes, manyNodes} {
		b := newRegistryBench(t)
		for i := range images {
			name := fmt.Sprintf("image-%d", i)
			recorded := b.recorded("suite", name, name)
			pinned := recorded.Image + "@" + recorded.Digest
			b.runsOn(name, pinned, pinned, nodes)
		}
		suite := config.Suite{Consumer: "suite", Freshness: config.FreshnessOff}
		b.api.ClearActions()
		b.since("")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begun := time.Now()
		status, err := b.client().Verify(t.Context(), VerifyInput{Suite: suite})
		took := time.Since(begun)
		runtime.ReadMemStats(&after)
		if err != nil || len(status.Images) != images || status.Images[0].Running != nodes {
			t.Fatalf("%d nodes: %+v, %v", nodes, status, err)
		}
		costs[nodes] = cost{len(b.api.Actions()), len(b.since("GET /v2/team/")), took, after.TotalAlloc - before.TotalAlloc}
	}
	few, many := costs[fewNodes], costs[manyNodes]
	t.Logf("%d pods: %+v; %d pods: %+v", images*fewNodes, few, images*manyNodes, many)
	if few.api != many.api || few.registry != many.registry {
		t.Errorf("calls grow: %+v for %d nodes, %+v for %d", few, fewNodes, many, manyNodes)
	}
	if many.took > 5*time.Second {
		t.Errorf("it took %s", many.took)
	}
}
