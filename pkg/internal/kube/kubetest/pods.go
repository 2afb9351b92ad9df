package kubetest

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Pod runs image on node kind-worker and is ready, unless edited.
func Pod(owner metav1.Object, name, image string, edit ...func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: MetaOf(name),
		Spec:       corev1.PodSpec{NodeName: "kind-worker", Containers: []corev1.Container{Container("server", image)}},
		Status: corev1.PodStatus{
			Phase:      corev1.PodRunning,
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			ContainerStatuses: []corev1.ContainerStatus{{
				Name: "server", Ready: true, ContainerID: "containerd://" + name + "-id",
				State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
			}},
		},
	}
	pod.OwnerReferences = controlledBy(owner, "Owner")
	pod.Labels = Labels()
	for _, change := range edit {
		change(pod)
	}
	return pod
}

// WithRevision labels a pod with its template's hash.
func WithRevision(hash string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Labels[appsv1.ControllerRevisionHashLabelKey] = hash }
}

// OfGeneration labels a DaemonSet's pod with its template's generation.
func OfGeneration(generation string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Labels["pod-template-generation"] = generation }
}

// NotReady makes a pod run without being ready.
func NotReady(p *corev1.Pod) {
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse}}
	p.Status.ContainerStatuses[0].Ready = false
}

// Terminating makes a pod be on its way out.
func Terminating(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.Now()) }

// Evicted makes a pod have failed.
func Evicted(p *corev1.Pod) { NotReady(p); p.Status.Phase = corev1.PodFailed }

// Waits makes the pod's container wait for a reason.
func Waits(reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		NotReady(p)
		p.Status.ContainerStatuses[0].ContainerID = ""
		p.Status.ContainerStatuses[0].State = corev1.ContainerState{
			Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message},
		}
	}
}

// Crashes makes the pod's container crash-loop after so many restarts.
func Crashes(restarts int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		Waits("CrashLoopBackOff", "back-off 10s restarting failed container")(p)
		status := &p.Status.ContainerStatuses[0]
		status.RestartCount, status.ContainerID = restarts, "containerd://crashed"
		status.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 17, Reason: "Error"}
	}
}

// Unscheduled makes a pod have no node.
func Unscheduled(p *corev1.Pod) {
	NotReady(p)
	p.Spec.NodeName, p.Status.ContainerStatuses = "", nil
	p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable",
		Message: "0/3 nodes are available: 3 Insufficient cpu.",
	})
}

// Event is about an object.
func Event(about metav1.Object, reason, message string, at time.Time) *corev1.Event {
	event := &corev1.Event{
		ObjectMeta: MetaOf(fmt.Sprintf("%s.%s", about.GetName(), reason)), Reason: reason, Message: message,
		LastTimestamp: metav1.NewTime(at),
	}
	event.InvolvedObject = corev1.ObjectReference{
		UID: about.GetUID(), Namespace: about.GetNamespace(), Name: about.GetName(),
	}
	return event
}
