package rollout

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
)

func TestHowFarARolloutIsFitsOnALine(t *testing.T) {
	t.Parallel()
	ready := func(p *corev1.Pod) {
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	}
	new1, new2 := &corev1.Pod{}, &corev1.Pod{}
	ready(new1)
	object := func(raw runtime.Object) kube.Object {
		o, err := kube.AsObject(raw)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	two := func(changes ...func(*appsv1.Deployment)) view {
		return view{object: object(kubetest.Deployment(kubetest.NewImage, append(changes, func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(2)) })...))}
	}
	pod := func(edits ...func(*corev1.Pod)) *corev1.Pod {
		return kubetest.Pod(kubetest.ReplicaSet(kubetest.Deployment(kubetest.NewImage), "new"), "new-1", kubetest.NewImage, edits...)
	}
	withSidecar := func(p *corev1.Pod) {
		kubetest.NotReady(p)
		p.Status.ContainerStatuses[0].Ready = true
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: "sidecar", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff"}},
		})
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
		}), []*corev1.Pod{new1, new1}, "old replicas have to go: 1"},
		"a Job": {view{object: object(kubetest.Job(kubetest.NewImage, func(j *batchv1.Job) {
			j.Spec.Completions, j.Status.Succeeded = new(int32(3)), 1
		}))}, nil, "1/3 complete"},
		"nothing was seen yet":                       {view{}, nil, "not seen yet"},
		"one crashes more than the other":            {two(), []*corev1.Pod{pod(kubetest.Crashes(1)), pod(kubetest.Crashes(3))}, "0/2 ready, restarted 3 times, last exit code 17"},
		"one has crashed, and was not restarted yet": {two(), []*corev1.Pod{new1, pod(kubetest.Crashes(0))}, "1/2 ready, exit code 17"},
		"one runs again": {two(), []*corev1.Pod{pod(kubetest.Crashes(1), func(p *corev1.Pod) {
			p.Status.ContainerStatuses[0].State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
		})}, "0/2 ready, restarted 1 time, last exit code 17"},
		"a restarted one is ready":    {two(), []*corev1.Pod{pod(kubetest.Crashes(1), ready), new2}, "1/2 ready"},
		"an image is not there":       {two(), []*corev1.Pod{pod(kubetest.Waits("ErrImageNeverPull", "x"))}, "0/2 ready, ErrImageNeverPull"},
		"one is only being made":      {two(), []*corev1.Pod{pod(kubetest.Waits("ContainerCreating", ""))}, "0/2 ready"},
		"one gets no node":            {two(), []*corev1.Pod{pod(kubetest.Unscheduled)}, "0/2 ready, Unschedulable"},
		"one of two containers waits": {two(), []*corev1.Pod{pod(withSidecar)}, "0/2 ready, sidecar: ImagePullBackOff"},
		"a program cannot be started": {two(), []*corev1.Pod{pod(kubetest.Crashes(2), cannotStart)}, "0/2 ready, StartError"},
		"one was killed at its limit": {two(), []*corev1.Pod{pod(kubetest.Crashes(2), killedBy("OOMKilled"))}, "0/2 ready, restarted 2 times, last exit code 137 (OOMKilled)"},
		"one was killed, as it seems": {two(), []*corev1.Pod{pod(kubetest.Crashes(2), killedBy("Error"))}, "0/2 ready, restarted 2 times, last exit code 137 (killed)"},
		"pods of a Job fail": {
			view{object: object(kubetest.Job(kubetest.NewImage, func(j *batchv1.Job) { j.Status.Failed = 2 }))},
			[]*corev1.Pod{pod(kubetest.Crashes(0))},
			"0/1 complete, 2 pods failed, exit code 17",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.seen.current = test.pods
			if got := test.seen.progressText(); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func cannotStart(p *corev1.Pod) {
	p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 128, Reason: "StartError"}
}

func killedBy(reason string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 137, Reason: reason}
	}
}
