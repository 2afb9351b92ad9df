package workload

import (
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

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
	ids := containerIDs(pod)
	for _, a := range j.assigned {
		id := ids[a.container.Name]
		if id != "" && id == j.stale[a.container.Name] {
			// The kubelet has not started it anew yet.
			return nil, false
		}
		if id == "" {
			if a.init {
				continue
			}
			return nil, false
		}
		running = append(running, Running{
			Namespace: pod.Namespace, Pod: pod.Name, PodUID: string(pod.UID), Container: a.container.Name,
			Node: pod.Spec.NodeName, ContainerID: id, ImageName: a.image.Name, Init: a.init, Ended: ended(pod),
		})
	}
	return running, true
}

// staleContainers are the containers of a Pod that get another image, by their names.
func staleContainers(pod *corev1.Pod, wanted *corev1.PodSpec) map[string]string {
	stale := containerIDs(pod)
	has, wants := imagesOf(&pod.Spec), imagesOf(wanted)
	maps.DeleteFunc(stale, func(name, id string) bool { return id == "" || has[name] == wants[name] })
	return stale
}

func containerIDs(pod *corev1.Pod) map[string]string {
	ids := map[string]string{}
	for _, status := range statuses(pod) {
		_, ids[status.Name], _ = strings.Cut(status.ContainerID, "://")
	}
	return ids
}
