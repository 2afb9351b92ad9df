package workload

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

func TestCurrentPodsAre(t *testing.T) {
	t.Parallel()
	now, before := aDeployment(newImage), aDeployment(oldImage)
	newSet, oldSet := aReplicaSet(now, "new"), aReplicaSet(before, "old")
	twin := aReplicaSet(now, "twin")
	twin.CreationTimestamp, newSet.CreationTimestamp = metav1.Unix(200, 0), metav1.Unix(100, 0)
	store, agent := aStatefulSet(newImage, 2), aDaemonSet(newImage, 2, func(d *appsv1.DaemonSet) {
		d.Annotations[appsv1.DeprecatedTemplateGeneration] = "3"
		d.Status.UpdatedNumberScheduled = 1
	})
	stranger := aStatefulSet(newImage, 1)
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
			[]*corev1.Pod{aPod(newSet, "b", newImage), aPod(newSet, "a", newImage), aPod(oldSet, "c", oldImage)},
			"a b | c",
		},
		{
			"those of the oldest ReplicaSet, of several with the same template", now,
			[]*appsv1.ReplicaSet{twin, newSet},
			[]*corev1.Pod{aPod(newSet, "a", newImage), aPod(twin, "b", newImage)},
			"a | b",
		},
		{
			"not those on their way out or evicted", now,
			[]*appsv1.ReplicaSet{newSet},
			[]*corev1.Pod{aPod(newSet, "a", newImage, terminatingPod), aPod(newSet, "b", newImage), aPod(newSet, "c", newImage, evicted)},
			"b | a c",
		},
		{
			"none while there is no ReplicaSet of the template", now,
			[]*appsv1.ReplicaSet{oldSet},
			[]*corev1.Pod{aPod(oldSet, "a", oldImage)},
			" | a",
		},
		{
			"not those of others with the same labels", store, nil,
			[]*corev1.Pod{aPod(store, "a", newImage, revision("store-new")), aPod(stranger, "b", newImage, revision("store-new"))},
			"a | ",
		},
		{
			"those of the StatefulSet's update revision", store, nil,
			[]*corev1.Pod{aPod(store, "a", newImage, revision("store-new")), aPod(store, "b", oldImage, revision("store-old"))},
			"a | b",
		},
		{
			"none while the StatefulSet's change was not seen, as its update revision is the old one",
			aStatefulSet(newImage, 1, func(s *appsv1.StatefulSet) { s.Generation, s.Status.UpdateRevision = 2, "store-old" }), nil,
			[]*corev1.Pod{aPod(store, "a", oldImage, revision("store-old"))},
			" | a",
		},
		{
			"those of the DaemonSet's template generation", agent, nil,
			[]*corev1.Pod{aPod(agent, "a", newImage, ofGeneration("3")), aPod(agent, "b", oldImage, ofGeneration("2"))},
			"a | b",
		},
		{
			"those with the hash of that generation, after a change was taken back", agent, nil,
			[]*corev1.Pod{aPod(agent, "a", newImage, ofGeneration("3"), revision("x")), aPod(agent, "b", newImage, ofGeneration("1"), revision("x"))},
			"a b | ",
		},
		{
			"those with the template's images where the controller calls all updated",
			aDaemonSet(newImage, 2, func(d *appsv1.DaemonSet) { d.Annotations[appsv1.DeprecatedTemplateGeneration] = "3" }), nil,
			[]*corev1.Pod{aPod(agent, "a", newImage, ofGeneration("1")), aPod(agent, "b", oldImage, ofGeneration("2"))},
			"a | b",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o, err := asObject(test.of)
			if err != nil {
				t.Fatal(err)
			}
			current, others := divide(o, test.pods, test.sets)
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
