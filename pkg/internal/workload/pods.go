package workload

import (
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// problem is something that keeps a pod from running.
type problem struct {
	pod       *corev1.Pod
	container string
	image     string
	// class groups reasons that alternate, like ErrImagePull and
	// ImagePullBackOff, whose second loses the cause.
	class   string
	reason  string
	message string
	// atOnce: no use in waiting whether it passes.
	atOnce bool
	// inconsistent: the node does not have what the record says.
	inconsistent bool
	// crashed: the previous container's log tells why.
	crashed bool
}

// key is what has to stay the same for a problem to count as lasting.
func (p problem) key() string {
	uid := ""
	if p.pod != nil {
		uid = string(p.pod.UID)
	}
	class := p.class
	if class == "" {
		class = p.reason
	}
	return strings.Join([]string{uid, p.container, class}, "/")
}

// currentPods returns the pods of the workload's current template that are not
// being deleted, by name.
func currentPods(o object, pods []*corev1.Pod, replicaSets []*appsv1.ReplicaSet) []*corev1.Pod {
	isCurrent := revisionOf(o, replicaSets)
	var current []*corev1.Pod
	for _, pod := range pods {
		if pod.DeletionTimestamp == nil && isCurrent(pod) {
			current = append(current, pod)
		}
	}
	slices.SortFunc(current, func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return current
}

// revisionOf tells pods of the current template from others.
func revisionOf(o object, replicaSets []*appsv1.ReplicaSet) func(*corev1.Pod) bool {
	switch raw := o.Object.(type) {
	case *appsv1.Deployment:
		for _, set := range replicaSets {
			if metav1.IsControlledBy(set, raw) && sameTemplate(set.Spec.Template, raw.Spec.Template) {
				return func(pod *corev1.Pod) bool { return metav1.IsControlledBy(pod, set) }
			}
		}
		return func(*corev1.Pod) bool { return false }
	case *appsv1.StatefulSet:
		return func(pod *corev1.Pod) bool {
			return metav1.IsControlledBy(pod, raw) && pod.Labels[appsv1.ControllerRevisionHashLabelKey] == raw.Status.UpdateRevision
		}
	case *appsv1.DaemonSet:
		generation := raw.Annotations[appsv1.DeprecatedTemplateGeneration]
		return func(pod *corev1.Pod) bool {
			return metav1.IsControlledBy(pod, raw) && pod.Labels["pod-template-generation"] == generation
		}
	}
	return func(*corev1.Pod) bool { return false }
}

// sameTemplate compares templates as the Deployment controller does: the hash
// label is its own addition.
func sameTemplate(a, b corev1.PodTemplateSpec) bool {
	a, b = *a.DeepCopy(), *b.DeepCopy()
	delete(a.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	delete(b.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	return maps.Equal(a.Labels, b.Labels) && maps.Equal(a.Annotations, b.Annotations) && equality.Semantic.DeepEqual(a.Spec, b.Spec)
}

// problemsOf lists what keeps a pod from running. recorded tells whether a
// reference is a recorded image; maxRestarts bounds crash loops, 0 for never.
func problemsOf(pod *corev1.Pod, recorded func(image string) bool, maxRestarts int) []problem {
	var found []problem
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			found = append(found, problem{pod: pod, reason: condition.Reason, message: condition.Message})
		}
	}
	images := map[string]string{}
	for _, container := range all(&pod.Spec) {
		images[container.Name] = container.Image
	}
	for _, status := range append(slices.Clone(pod.Status.InitContainerStatuses), pod.Status.ContainerStatuses...) {
		image := images[status.Name]
		p := problem{pod: pod, container: status.Name, image: image}
		if judgeContainer(&p, status, recorded(image), maxRestarts) {
			found = append(found, p)
		}
	}
	return found
}

// judgeContainer fills in what is wrong with a container, if anything.
func judgeContainer(p *problem, status corev1.ContainerStatus, recorded bool, maxRestarts int) bool {
	if maxRestarts > 0 && !status.Ready && int(status.RestartCount) > maxRestarts && !completed(status) {
		p.reason, p.message, p.atOnce, p.crashed = "CrashLoopBackOff", lastEnd(status), true, true
		return true
	}
	waiting := status.State.Waiting
	if waiting == nil {
		return false
	}
	p.reason, p.message = waiting.Reason, waiting.Message
	switch waiting.Reason {
	case "ErrImageNeverPull":
		p.atOnce, p.inconsistent = true, recorded
	case "InvalidImageName":
		p.atOnce = true
	case "ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError":
		p.class, p.atOnce, p.inconsistent = "pull", recorded, recorded
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
		p.class = "create"
	default:
		return false
	}
	return true
}

func completed(status corev1.ContainerStatus) bool {
	return status.State.Terminated != nil && status.State.Terminated.ExitCode == 0
}

// lastEnd says how a crash-looping container ended.
func lastEnd(status corev1.ContainerStatus) string {
	for _, end := range []*corev1.ContainerStateTerminated{status.State.Terminated, status.LastTerminationState.Terminated} {
		if end != nil {
			return describeEnd(status.RestartCount, end)
		}
	}
	return describeEnd(status.RestartCount, nil)
}
