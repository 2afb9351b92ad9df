package rollout

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// Running is a container that runs one of the images.
type Running struct {
	Namespace string
	Pod       string
	Container string
	Node      string
	// ContainerID without its runtime prefix.
	ContainerID string
	// ImageID that the pod's status says it runs, and Started when it was started, where it runs.
	ImageID string
	Started time.Time
	// ImageName is Image.Name.
	ImageName string
	// Probed: a readiness probe says that it is ready, not only that it runs.
	Probed bool
	// Ended: the pod had ended, so that its containers may be gone from the node.
	Ended bool
	// Init containers have ended by now: only `crictl ps -a` lists them.
	Init bool
}

// running returns, for each current pod that is ready or has succeeded, the
// containers in it that run the images.
func (j *judge) running(v view) [][]Running {
	var pods [][]Running
	for _, pod := range v.current {
		if !podReady(pod) && pod.Status.Phase != corev1.PodSucceeded {
			continue
		}
		if containers, complete := j.runningIn(pod); complete {
			pods = append(pods, containers)
		}
	}
	return pods
}

// runningIn is not complete while one of the containers has not been started.
// The trace of an init container may be gone, long after it ended.
func (j *judge) runningIn(pod *corev1.Pod) (running []Running, complete bool) {
	ids, statuses := kube.ContainerIDs(pod), statusesOf(pod)
	for _, a := range j.assigned {
		id, init := ids[a.Container.Name], a.Init && !restarts(a.Container)
		if j.stale[id] && !kube.HasEnded(pod) {
			// The kubelet has not started it anew yet.
			return nil, false
		}
		if id == "" {
			if init {
				continue
			}
			return nil, false
		}
		running = append(running, Running{
			Namespace: pod.Namespace, Pod: pod.Name, Container: a.Container.Name,
			ImageID: statuses[a.Container.Name].ImageID, Started: startedAt(statuses[a.Container.Name]),
			Node: pod.Spec.NodeName, ContainerID: id, ImageName: a.Image.Name, Init: init, Ended: kube.HasEnded(pod),
			Probed: a.Container.ReadinessProbe != nil,
		})
	}
	return running, true
}

// statusesOf are those of a pod's containers by their names.
func statusesOf(pod *corev1.Pod) map[string]corev1.ContainerStatus {
	statuses := map[string]corev1.ContainerStatus{}
	for _, status := range kube.ContainerStatuses(pod) {
		statuses[status.Name] = status
	}
	return statuses
}

func startedAt(status corev1.ContainerStatus) time.Time {
	if status.State.Running == nil {
		return time.Time{}
	}
	return status.State.Running.StartedAt.Time
}

// restarts tells whether an init container goes on, as sidecars do.
func restarts(container corev1.Container) bool {
	return container.RestartPolicy != nil && *container.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// settling is how long a container that was restarted still has to stay up before its
// pod counts as ready, where no probe tells whether it is: in a crash loop it is up
// for a moment again and again.
func settling(pods []*corev1.Pod, now time.Time) time.Duration {
	var longest time.Duration
	for _, pod := range pods {
		probed := map[string]bool{}
		for _, container := range pod.Spec.Containers {
			probed[container.Name] = container.ReadinessProbe != nil
		}
		for _, status := range pod.Status.ContainerStatuses {
			if status.RestartCount == 0 || status.State.Running == nil || probed[status.Name] {
				continue
			}
			longest = max(longest, lastingAfter-now.Sub(status.State.Running.StartedAt.Time))
		}
	}
	return longest
}

// MarkDead tells of containers that had ended when their nodes were asked,
// although their pods still counted as ready. Wait then waits for those that are
// started in their place; what else it has seen stays seen.
func (r *Rollouts) MarkDead(containerIDs []string) {
	for _, t := range r.all {
		if !slices.ContainsFunc(t.running, func(one Running) bool { return slices.Contains(containerIDs, one.ContainerID) }) {
			continue
		}
		if t.Stale == nil {
			t.Stale = map[string]bool{}
		}
		for _, id := range containerIDs {
			t.Stale[id] = true
		}
		t.running, t.waited = nil, false
	}
}

// Ended returns the IDs of those of the containers that do not run any more: one call for each
// namespace, however many pods it has.
func (r *Rollouts) Ended(ctx context.Context, containers []Running) ([]string, error) {
	runs := map[string]map[string]bool{}
	var ended []string
	for _, one := range containers {
		if runs[one.Namespace] == nil {
			pods, err := r.api.CoreV1().Pods(one.Namespace).List(ctx, metav1.ListOptions{})
			if err != nil {
				return nil, kube.ExplainAPI("list pods in namespace "+one.Namespace, err)
			}
			runs[one.Namespace] = map[string]bool{}
			for i := range pods.Items {
				ids := kube.ContainerIDs(&pods.Items[i])
				for name, status := range statusesOf(&pods.Items[i]) {
					runs[one.Namespace][ids[name]] = status.State.Running != nil
				}
			}
		}
		if !runs[one.Namespace][one.ContainerID] {
			ended = append(ended, one.ContainerID)
		}
	}
	return ended, nil
}

// StillRuns tells whether the pod still has the container and is not being deleted.
func (r *Rollouts) StillRuns(ctx context.Context, container Running) (bool, error) {
	pods, err := r.api.CoreV1().Pods(container.Namespace).List(ctx, metav1.ListOptions{
		FieldSelector: kube.ByName(container.Pod),
	})
	if err != nil {
		return false, kube.ExplainAPI("list pods in namespace "+container.Namespace, err)
	}
	return slices.ContainsFunc(pods.Items, func(pod corev1.Pod) bool {
		return pod.Name == container.Pod && pod.DeletionTimestamp == nil &&
			kube.ContainerIDs(&pod)[container.Container] == container.ContainerID
	}), nil
}
