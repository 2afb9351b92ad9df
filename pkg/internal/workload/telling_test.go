package workload

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

func TestHowFarARolloutIsFitsOnALine(t *testing.T) {
	t.Parallel()
	ready := func(p *corev1.Pod) {
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	}
	new1, new2 := &corev1.Pod{}, &corev1.Pod{}
	ready(new1)
	object := func(raw runtime.Object) object {
		o, err := asObject(raw)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	two := func(changes ...func(*appsv1.Deployment)) view {
		return view{object: object(aDeployment(newImage, append(changes, func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(2)) })...))}
	}
	tests := map[string]struct {
		seen view
		pods []*corev1.Pod
		want string
	}{
		"one of two pods is ready": {two(), []*corev1.Pod{new1, new2}, "1/2 ready"},
		"no pod is there":          {two(), nil, "0/2 ready"},
		"both are ready, and an old one is still there": {two(func(d *appsv1.Deployment) {
			d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: 3, UpdatedReplicas: 2, AvailableReplicas: 2}
		}), []*corev1.Pod{new1, new1}, "1 old replicas have to go"},
		"a Job": {view{object: object(aJob(newImage, func(j *batchv1.Job) {
			j.Spec.Completions, j.Status.Succeeded = new(int32(3)), 1
		}))}, nil, "1/3 complete"},
		"nothing was seen yet": {view{}, nil, "not seen yet"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.seen.current = test.pods
			if got := test.seen.ready(); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
