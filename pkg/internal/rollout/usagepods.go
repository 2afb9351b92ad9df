package rollout

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// pods gives each pod to its workload, or notes it as one of its own.
func (u *usage) pods(l *corev1.PodList) {
	for i := range l.Items {
		pod := &l.Items[i]
		if pod.DeletionTimestamp != nil || kube.HasEnded(pod) {
			continue
		}
		u.live = append(u.live, pod)
		owner := u.byKey[pod.Namespace+"/"+ownerOf(pod)]
		if owner == nil {
			// Of a ReplicaSet of its own the pods are all that is listed.
			ref, set := kube.Reference{Kind: kube.Pod, Name: pod.Name}, metav1.GetControllerOf(pod)
			if set != nil && set.Kind == "Job" {
				continue
			}
			if set != nil && set.Kind == "ReplicaSet" {
				ref = kube.Reference{Kind: kube.ReplicaSet, Name: set.Name}
				if owner = u.byKey[pod.Namespace+"/"+ref.String()]; owner != nil {
					owner.Wanted, owner.Updated = owner.Wanted+1, owner.Updated+1
					owner.Pods = append(owner.Pods, usedPod(pod))
					continue
				}
			}
			owner = &Used{
				Name: ref.String(), Kind: ref.Kind, Namespace: pod.Namespace,
				Template: corev1.PodTemplateSpec{ObjectMeta: pod.ObjectMeta, Spec: pod.Spec}, Wanted: 1, Updated: 1, Settled: true,
			}
			u.all = append(u.all, owner)
			u.byKey[pod.Namespace+"/"+owner.Name] = owner
		}
		owner.Pods = append(owner.Pods, usedPod(pod))
		if owner.revision != "" && pod.Labels[appsv1.StatefulSetRevisionLabel] == owner.revision && podReady(pod) {
			owner.Updated++
		}
	}
	for _, one := range u.all {
		if one.revision != "" {
			one.Settled = one.Settled && one.Updated >= one.Wanted
		}
	}
}

// ownerOf is the workload that a pod belongs to. Of a Deployment's pods the
// ReplicaSet is between, whose name ends with the hash that the pod's label has.
func ownerOf(pod *corev1.Pod) string {
	owner := metav1.GetControllerOf(pod)
	if owner == nil {
		return ""
	}
	switch owner.Kind {
	case "ReplicaSet":
		hash := pod.Labels[appsv1.DefaultDeploymentUniqueLabelKey]
		return kube.Reference{Kind: kube.Deployment, Name: strings.TrimSuffix(owner.Name, "-"+hash)}.String()
	case "StatefulSet", "DaemonSet", "Job":
		return kube.Reference{Kind: kube.Kind(strings.ToLower(owner.Kind)), Name: owner.Name}.String()
	}
	return ""
}

func usedPod(pod *corev1.Pod) UsedPod {
	used := UsedPod{pod: pod, Name: pod.Name, Node: pod.Spec.NodeName, Containers: map[string]UsedContainer{}}
	ids := kube.ContainerIDs(pod)
	statuses := statusesOf(pod)
	for _, container := range kube.Containers(&pod.Spec) {
		if id := ids[container.Name]; id != "" {
			used.Containers[container.Name] = UsedContainer{
				ID: id, Image: container.Image, ImageID: statuses[container.Name].ImageID, Ready: statuses[container.Name].Ready,
			}
		}
	}
	return used
}
