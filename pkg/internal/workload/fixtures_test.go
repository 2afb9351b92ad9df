package workload

import (
	"fmt"
	"maps"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
)

const (
	oldImage = "localhost/datastorage:wf-old"
	newImage = "localhost/datastorage:wf-new"
	newID    = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
)

// datastorage is the image that most tests deploy.
func datastorage() Image {
	return Image{
		Name: "datastorage", Image: newImage, ImageID: newID, Workloads: []string{"deployment/datastorage"},
		Timeout: 2 * time.Minute, MaxRestarts: 3,
	}
}

func labels() map[string]string { return map[string]string{"app": "datastorage"} }

func template(containers ...corev1.Container) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels()},
		Spec:       corev1.PodSpec{Containers: containers},
	}
}

func container(name, image string) corev1.Container {
	return corev1.Container{Name: name, Image: image, ImagePullPolicy: corev1.PullNever}
}

func metaOf(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "e2e", Name: name, UID: types.UID("uid-" + name), Generation: 1, ResourceVersion: "7"}
}

func aDeployment(image string, edit ...func(*appsv1.Deployment)) *appsv1.Deployment {
	d := &appsv1.Deployment{
		ObjectMeta: metaOf("datastorage"),
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(1)), Selector: &metav1.LabelSelector{MatchLabels: labels()}, Template: template(container("server", image)),
		},
	}
	for _, change := range edit {
		change(d)
	}
	return d
}

func aStatefulSet(image string, replicas int32, edit ...func(*appsv1.StatefulSet)) *appsv1.StatefulSet {
	s := &appsv1.StatefulSet{
		ObjectMeta: metaOf("store"),
		Spec: appsv1.StatefulSetSpec{
			Replicas: new(replicas), Selector: &metav1.LabelSelector{MatchLabels: labels()}, Template: template(container("server", image)),
			UpdateStrategy: appsv1.StatefulSetUpdateStrategy{Type: appsv1.RollingUpdateStatefulSetStrategyType},
		},
		Status: appsv1.StatefulSetStatus{
			ObservedGeneration: 1, Replicas: replicas, UpdatedReplicas: replicas, AvailableReplicas: replicas, UpdateRevision: "store-new",
		},
	}
	for _, change := range edit {
		change(s)
	}
	return s
}

func aDaemonSet(image string, nodes int32, edit ...func(*appsv1.DaemonSet)) *appsv1.DaemonSet {
	d := &appsv1.DaemonSet{
		ObjectMeta: metaOf("agent"),
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels()}, Template: template(container("server", image)),
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{Type: appsv1.RollingUpdateDaemonSetStrategyType},
		},
		Status: appsv1.DaemonSetStatus{
			ObservedGeneration: 1, DesiredNumberScheduled: nodes, CurrentNumberScheduled: nodes, UpdatedNumberScheduled: nodes, NumberAvailable: nodes,
		},
	}
	d.Annotations = map[string]string{appsv1.DeprecatedTemplateGeneration: "1"}
	for _, change := range edit {
		change(d)
	}
	return d
}

// rolledOut gives a Deployment the status of a finished rollout.
func rolledOut(d *appsv1.Deployment) {
	n := valueOr(d.Spec.Replicas, 1)
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: n, UpdatedReplicas: n, AvailableReplicas: n}
}

// unavailable is the status while the new pods are not ready.
func unavailable(d *appsv1.Deployment) {
	rolledOut(d)
	d.Status.AvailableReplicas = 0
}

// aReplicaSet has the template that the Deployment has now.
func aReplicaSet(d *appsv1.Deployment, hash string) *appsv1.ReplicaSet {
	set := &appsv1.ReplicaSet{ObjectMeta: metaOf(d.Name + "-" + hash), Spec: appsv1.ReplicaSetSpec{Template: *d.Spec.Template.DeepCopy()}}
	set.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(d, appsv1.SchemeGroupVersion.WithKind("Deployment"))}
	set.Labels = maps.Clone(d.Spec.Template.Labels)
	set.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = hash
	set.Spec.Template.Labels = maps.Clone(set.Labels)
	return set
}

// aPod runs image on node kind-worker and is ready, unless edited.
func aPod(owner metav1.Object, name, image string, edit ...func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metaOf(name),
		Spec:       corev1.PodSpec{NodeName: "kind-worker", Containers: []corev1.Container{container("server", image)}},
		Status: corev1.PodStatus{
			Phase:      corev1.PodRunning,
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			ContainerStatuses: []corev1.ContainerStatus{{
				Name: "server", Ready: true, ContainerID: "containerd://" + name + "-id",
				State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
			}},
		},
	}
	pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(owner, appsv1.SchemeGroupVersion.WithKind("Owner"))}
	pod.Labels = labels()
	for _, change := range edit {
		change(pod)
	}
	return pod
}

func revision(hash string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Labels[appsv1.ControllerRevisionHashLabelKey] = hash }
}

func ofGeneration(generation string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Labels[daemonSetGeneration] = generation }
}

func notReady(p *corev1.Pod) {
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse}}
	p.Status.ContainerStatuses[0].Ready = false
}

func terminatingPod(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.Now()) }

func evicted(p *corev1.Pod) { notReady(p); p.Status.Phase = corev1.PodFailed }

// waits makes the pod's container wait for a reason.
func waits(reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		notReady(p)
		p.Status.ContainerStatuses[0].ContainerID = ""
		p.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	}
}

// crashes makes the pod's container crash-loop after so many restarts.
func crashes(restarts int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		waits("CrashLoopBackOff", "back-off 10s restarting failed container")(p)
		status := &p.Status.ContainerStatuses[0]
		status.RestartCount, status.ContainerID = restarts, "containerd://crashed"
		status.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 17, Reason: "Error"}
	}
}

func unscheduledPod(p *corev1.Pod) {
	notReady(p)
	p.Spec.NodeName, p.Status.ContainerStatuses = "", nil
	p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/3 nodes are available: 3 Insufficient cpu.",
	})
}

func anEvent(about metav1.Object, reason, message string, at time.Time) *corev1.Event {
	event := &corev1.Event{ObjectMeta: metaOf(fmt.Sprintf("%s.%s", about.GetName(), reason)), Reason: reason, Message: message, LastTimestamp: metav1.NewTime(at)}
	event.InvolvedObject.UID, event.InvolvedObject.Namespace, event.InvolvedObject.Name = about.GetUID(), about.GetNamespace(), about.GetName()
	return event
}

// put stores an object in the fake API as its controller would, watches told.
func put(t *testing.T, api *fake.Clientset, object runtime.Object) {
	t.Helper()
	gvks, _, err := scheme.Scheme.ObjectKinds(object)
	if err != nil {
		t.Fatal(err)
	}
	resource, _ := meta.UnsafeGuessKindToResource(gvks[0])
	if err := api.Tracker().Update(resource, object, "e2e"); err != nil {
		if err := api.Tracker().Create(resource, object, "e2e"); err != nil {
			t.Fatal(err)
		}
	}
}
