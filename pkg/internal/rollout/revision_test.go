package rollout

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
)

func TestCurrentPodsAre(t *testing.T) {
	t.Parallel()
	now, before := kubetest.Deployment(kubetest.NewImage), kubetest.Deployment(kubetest.OldImage)
	newSet, oldSet := kubetest.ReplicaSet(now, "new"), kubetest.ReplicaSet(before, "old")
	twin := kubetest.ReplicaSet(now, "twin")
	twin.CreationTimestamp, newSet.CreationTimestamp = metav1.Unix(200, 0), metav1.Unix(100, 0)
	store, agent := kubetest.StatefulSet(kubetest.NewImage, 2), kubetest.DaemonSet(kubetest.NewImage, 2, func(d *appsv1.DaemonSet) {
		d.Annotations[appsv1.DeprecatedTemplateGeneration] = "3"
		d.Status.UpdatedNumberScheduled = 1
	})
	stranger := kubetest.StatefulSet(kubetest.NewImage, 1)
	stranger.UID = "stranger"
	for _, test := range []struct {
		name string
		of   runtime.Object
		sets []*appsv1.ReplicaSet
		pods []*corev1.Pod
		// want has the current pods, a bar, all others.
		want string
	}{
		{
			"those of the ReplicaSet with the Deployment's template", now,
			[]*appsv1.ReplicaSet{oldSet, newSet},
			[]*corev1.Pod{kubetest.Pod(newSet, "b", kubetest.NewImage), kubetest.Pod(newSet, "a", kubetest.NewImage), kubetest.Pod(oldSet, "c", kubetest.OldImage)},
			"a b | c",
		},
		{
			"those of the oldest ReplicaSet, of several with the same template", now,
			[]*appsv1.ReplicaSet{twin, newSet},
			[]*corev1.Pod{kubetest.Pod(newSet, "a", kubetest.NewImage), kubetest.Pod(twin, "b", kubetest.NewImage)},
			"a | b",
		},
		{
			"not those on their way out or evicted", now,
			[]*appsv1.ReplicaSet{newSet},
			[]*corev1.Pod{kubetest.Pod(newSet, "a", kubetest.NewImage, kubetest.Terminating), kubetest.Pod(newSet, "b", kubetest.NewImage), kubetest.Pod(newSet, "c", kubetest.NewImage, kubetest.Evicted)},
			"b | a c",
		},
		{
			"none while there is no ReplicaSet of the template", now,
			[]*appsv1.ReplicaSet{oldSet},
			[]*corev1.Pod{kubetest.Pod(oldSet, "a", kubetest.OldImage)},
			" | a",
		},
		{
			"not those of others with the same labels", store, nil,
			[]*corev1.Pod{kubetest.Pod(store, "a", kubetest.NewImage, kubetest.WithRevision("store-new")), kubetest.Pod(stranger, "b", kubetest.NewImage, kubetest.WithRevision("store-new"))},
			"a | ",
		},
		{
			"those of the StatefulSet's update revision", store, nil,
			[]*corev1.Pod{kubetest.Pod(store, "a", kubetest.NewImage, kubetest.WithRevision("store-new")), kubetest.Pod(store, "b", kubetest.OldImage, kubetest.WithRevision("store-old"))},
			"a | b",
		},
		{
			"none while the StatefulSet's change was not seen, as its update revision is the old one",
			kubetest.StatefulSet(kubetest.NewImage, 1, func(s *appsv1.StatefulSet) { s.Generation, s.Status.UpdateRevision = 2, "store-old" }), nil,
			[]*corev1.Pod{kubetest.Pod(store, "a", kubetest.OldImage, kubetest.WithRevision("store-old"))},
			" | a",
		},
		{
			"those of the DaemonSet's template generation", agent, nil,
			[]*corev1.Pod{kubetest.Pod(agent, "a", kubetest.NewImage, kubetest.OfGeneration("3")), kubetest.Pod(agent, "b", kubetest.OldImage, kubetest.OfGeneration("2"))},
			"a | b",
		},
		{
			"those with the hash of that generation, after a change was taken back", agent, nil,
			[]*corev1.Pod{kubetest.Pod(agent, "a", kubetest.NewImage, kubetest.OfGeneration("3"), kubetest.WithRevision("x")), kubetest.Pod(agent, "b", kubetest.NewImage, kubetest.OfGeneration("1"), kubetest.WithRevision("x"))},
			"a b | ",
		},
		{
			"those with the template's images where the controller calls all updated",
			kubetest.DaemonSet(kubetest.NewImage, 2, func(d *appsv1.DaemonSet) { d.Annotations[appsv1.DeprecatedTemplateGeneration] = "3" }), nil,
			[]*corev1.Pod{kubetest.Pod(agent, "a", kubetest.NewImage, kubetest.OfGeneration("1")), kubetest.Pod(agent, "b", kubetest.OldImage, kubetest.OfGeneration("2"))},
			"a | b",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o, err := kube.AsObject(test.of)
			if err != nil {
				t.Fatal(err)
			}
			current, others := splitByRevision(o, test.pods, test.sets)
			if got := podNames(current) + " | " + podNames(others); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func podNames(pods []*corev1.Pod) string {
	var names []string
	for _, pod := range pods {
		names = append(names, pod.Name)
	}
	return strings.Join(names, " ")
}
