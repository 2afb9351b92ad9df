package kubetest

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Settle lets controllers and kubelets go on: those that miss an image look again.
func (a *API) Settle() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.settle()
}

var (
	deployments = appsv1.SchemeGroupVersion.WithResource("deployments")
	replicaSets = appsv1.SchemeGroupVersion.WithResource("replicasets")
	pods        = corev1.SchemeGroupVersion.WithResource("pods")
)

// list are all objects of a kind, in the order of their names.
func list[T any](a *API, resource schema.GroupVersionResource, kind string,
	items func(runtime.Object) []T,
) ([]T, error) {
	all, err := a.tracker.List(resource, resource.GroupVersion().WithKind(kind), metav1.NamespaceAll)
	if err != nil {
		return nil, err
	}
	return items(all), nil
}

func (a *API) settle() error {
	if a.nodes == nil {
		return nil
	}
	all, err := list(a, deployments, "Deployment", func(l runtime.Object) []appsv1.Deployment {
		return l.(*appsv1.DeploymentList).Items
	})
	if err != nil {
		return err
	}
	for i := range all {
		if err := a.rollOut(all[i].DeepCopy()); err != nil {
			return err
		}
	}
	return nil
}

// rollOut makes the pods of the template, and takes the others away once those run.
func (a *API) rollOut(d *appsv1.Deployment) error {
	set, err := a.replicaSet(d)
	if err != nil {
		return err
	}
	mine, err := list(a, pods, "Pod", func(l runtime.Object) []corev1.Pod { return l.(*corev1.PodList).Items })
	if err != nil {
		return err
	}
	var current, others []*corev1.Pod
	for i := range mine {
		switch pod := mine[i].DeepCopy(); {
		case metav1.IsControlledBy(pod, set):
			current = append(current, pod)
		case a.owns(d, pod):
			others = append(others, pod)
		}
	}
	wanted, ready := 1, 0
	if d.Spec.Replicas != nil {
		wanted = int(*d.Spec.Replicas)
	}
	for len(current) < wanted {
		pod, err := a.newPod(set)
		if err != nil {
			return err
		}
		current = append(current, pod)
	}
	for _, pod := range current {
		runs, err := a.start(pod)
		if err != nil {
			return err
		}
		if runs {
			ready++
		}
	}
	if ready == wanted {
		for _, pod := range others {
			a.nodes.Stop(pod.Spec.NodeName, pod.Namespace, pod.Name)
			if err := a.tracker.Delete(pods, pod.Namespace, pod.Name); err != nil {
				return err
			}
		}
		others = nil
	}
	status := appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation, Replicas: int32(len(current) + len(others)), UpdatedReplicas: int32(len(current)),
		ReadyReplicas: int32(ready + len(others)), AvailableReplicas: int32(ready + len(others)),
	}
	if d.Status.ObservedGeneration == status.ObservedGeneration &&
		d.Status.AvailableReplicas == status.AvailableReplicas && d.Status.Replicas == status.Replicas {
		return nil
	}
	d.Status, d.ResourceVersion = status, a.next()
	return a.tracker.Update(deployments, d, d.Namespace)
}

// owns tells whether a pod is of any ReplicaSet of the Deployment.
func (a *API) owns(d *appsv1.Deployment, pod *corev1.Pod) bool {
	owner := metav1.GetControllerOf(pod)
	if owner == nil {
		return false
	}
	set, err := a.tracker.Get(replicaSets, pod.Namespace, owner.Name)
	return err == nil && metav1.IsControlledBy(set.(*appsv1.ReplicaSet), d)
}

// replicaSet is the one that has the Deployment's template, as its controller names it.
func (a *API) replicaSet(d *appsv1.Deployment) (*appsv1.ReplicaSet, error) {
	text, err := json.Marshal(d.Spec.Template)
	if err != nil {
		return nil, err
	}
	sum := fnv.New32a()
	_, _ = sum.Write(text)
	hash := fmt.Sprintf("%x", sum.Sum32())
	name := d.Name + "-" + hash
	known, err := a.tracker.Get(replicaSets, d.Namespace, name)
	if err == nil {
		return known.(*appsv1.ReplicaSet), nil
	}
	if !apierrors.IsNotFound(err) {
		return nil, err
	}
	labels := maps.Clone(d.Spec.Template.Labels)
	labels[appsv1.DefaultDeploymentUniqueLabelKey] = hash
	version := a.next()
	set := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: d.Namespace, Name: name, Labels: labels, ResourceVersion: version, UID: types.UID("uid-" + version),
			CreationTimestamp: metav1.Now(),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(d,
				appsv1.SchemeGroupVersion.WithKind("Deployment"))},
		},
		Spec: appsv1.ReplicaSetSpec{
			Replicas: d.Spec.Replicas, Selector: d.Spec.Selector,
			Template: *d.Spec.Template.DeepCopy(),
		},
	}
	set.Spec.Template.Labels = maps.Clone(labels)
	return set, a.tracker.Create(replicaSets, set, d.Namespace)
}

// newPod puts a pod on the nodes in turn.
func (a *API) newPod(set *appsv1.ReplicaSet) (*corev1.Pod, error) {
	nodes := a.nodes.Nodes()
	a.made++
	version := a.next()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: set.Namespace, Name: fmt.Sprintf("%s-%d", set.Name, a.made), Labels: set.Spec.Template.Labels,
			Annotations:     set.Spec.Template.Annotations,
			ResourceVersion: version, UID: types.UID("uid-" + version), CreationTimestamp: metav1.Now(),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(set,
				appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))},
		},
		Spec:   *set.Spec.Template.Spec.DeepCopy(),
		Status: corev1.PodStatus{Phase: corev1.PodPending},
	}
	pod.Spec.NodeName = nodes[a.made%len(nodes)]
	return pod, a.tracker.Create(pods, pod, pod.Namespace)
}

// start runs those containers of a pod that do not run yet, and tells whether all do.
func (a *API) start(pod *corev1.Pod) (ready bool, err error) {
	if slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	}) {
		return true, nil
	}
	before := pod.Status.ContainerStatuses
	pod.Status.ContainerStatuses, ready = nil, true
	for _, container := range pod.Spec.Containers {
		i := slices.IndexFunc(before, func(s corev1.ContainerStatus) bool {
			return s.Name == container.Name && s.State.Running != nil
		})
		if i >= 0 {
			pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, before[i])
			continue
		}
		status := corev1.ContainerStatus{Name: container.Name, Image: container.Image}
		containerID, imageID, err := a.nodes.Start(pod.Spec.NodeName, pod.Namespace, pod.Name, container.Image)
		if err != nil {
			ready = false
			status.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ErrImageNeverPull", Message: err.Error()}
		} else {
			status.Ready, status.ContainerID, status.ImageID = true, "containerd://"+containerID, imageID
			status.State.Running = &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(time.Now())}
		}
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, status)
	}
	condition := corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse}
	if ready {
		pod.Status.Phase, condition.Status = corev1.PodRunning, corev1.ConditionTrue
	}
	pod.Status.Conditions = []corev1.PodCondition{condition}
	pod.ResourceVersion = a.next()
	return ready, a.tracker.Update(pods, pod, pod.Namespace)
}
