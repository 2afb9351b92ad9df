package workload

import (
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
)

// view is what the caches hold at one moment.
type view struct {
	object  object
	deleted bool
	// stale: the cache has not seen our own patch yet.
	stale bool
	pods  []*corev1.Pod
}

func (w *watcher) view() view {
	objects := w.object.GetStore().List()
	if len(objects) == 0 {
		return view{deleted: true}
	}
	raw, ok := objects[0].(interface{ GetGeneration() int64 })
	if !ok {
		return view{deleted: true}
	}
	runtimeObject, ok := objects[0].(appsObject)
	if !ok {
		return view{deleted: true}
	}
	current, err := asObject(runtimeObject)
	if err != nil {
		return view{deleted: true}
	}
	v := view{object: current, stale: raw.GetGeneration() < w.target.object.meta.Generation}
	v.pods = currentPods(current, typedList[*corev1.Pod](w.pods), typedList[*appsv1.ReplicaSet](w.replicaSets))
	return v
}

func typedList[T any](informer cache.SharedIndexInformer) []T {
	if informer == nil {
		return nil
	}
	var items []T
	for _, item := range informer.GetStore().List() {
		if typed, ok := item.(T); ok {
			items = append(items, typed)
		}
	}
	return items
}

// look judges what is seen now. next is when to look again although nothing
// changes; failure is set when success is impossible.
func (w *watcher) look(now time.Time) (next time.Duration, done bool, failure *failed) {
	next = lasting
	v := w.view()
	if v.deleted {
		return 0, false, &failed{RolloutError: RolloutError{Reason: "Deleted", Message: "it was deleted while its rollout was waited for"}}
	}
	if v.stale {
		return next, false, nil
	}
	progress := judgeRollout(v.object)
	if progress.done && w.collect(v.pods) >= int(progress.pods) {
		return 0, true, nil
	}
	if progress.impossible != nil {
		return 0, false, &failed{RolloutError: *progress.impossible}
	}
	var problems []problem
	if progress.pending != nil {
		problems = append(problems, *progress.pending)
	}
	for _, pod := range v.pods {
		problems = append(problems, problemsOf(pod, w.target.recorded, w.target.maxRestarts())...)
	}
	present := map[string]bool{}
	for _, p := range problems {
		present[p.key()] = true
		first, known := w.since[p.key()]
		if !known {
			first = seen{at: now, problem: p}
			w.since[p.key()] = first
		}
		if p.atOnce || now.Sub(first.at) >= lasting {
			first.atOnce, first.inconsistent, first.crashed, first.pod = p.atOnce, p.inconsistent, p.crashed, p.pod
			return 0, false, &failed{RolloutError: RolloutError{Reason: first.reason, Message: first.message}, problem: &first.problem}
		}
		next = min(next, lasting-now.Sub(first.at))
	}
	for key := range w.since {
		if !present[key] {
			delete(w.since, key)
		}
	}
	return next, false, nil
}

// collect notes the containers that run the images, and returns how many pods
// are ready with all of them.
func (w *watcher) collect(pods []*corev1.Pod) int {
	w.target.running = nil
	complete := 0
	for _, pod := range pods {
		if !podReady(pod) {
			continue
		}
		running := w.target.runningIn(pod)
		if running == nil {
			continue
		}
		complete++
		w.target.running = append(w.target.running, running...)
	}
	return complete
}

// runningIn returns the containers of the pod that run the images, nil while
// one of them has not been started.
func (t *target) runningIn(pod *corev1.Pod) []Running {
	ids := map[string]string{}
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for _, status := range statuses {
			_, ids[status.Name], _ = strings.Cut(status.ContainerID, "://")
		}
	}
	running := []Running{}
	for _, container := range all(&pod.Spec) {
		for _, image := range t.images {
			if container.Image != image.Image {
				continue
			}
			if ids[container.Name] == "" {
				return nil
			}
			running = append(running, Running{
				Namespace: pod.Namespace, Pod: pod.Name, Container: container.Name, Node: pod.Spec.NodeName,
				ContainerID: ids[container.Name], ImageName: image.Name,
			})
		}
	}
	return running
}

// recorded tells whether a reference is one of the images of this workload.
func (t *target) recorded(reference string) bool {
	for _, image := range t.images {
		if image.Image == reference {
			return true
		}
	}
	return false
}

func podReady(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// late says what was missing when time ran out.
func (w *watcher) late(timeout time.Duration) *failed {
	failure := &failed{RolloutError: RolloutError{Reason: "Timeout", NotInTime: true}}
	v := w.view()
	waiting := "it is not seen"
	if !v.deleted {
		waiting = judgeRollout(v.object).waiting
	}
	failure.Message = fmt.Sprintf("not ready after %s: %s", timeout, waiting)
	for _, pod := range v.pods {
		if podReady(pod) {
			continue
		}
		failure.problem = &problem{pod: pod, message: failure.Message}
		for _, status := range pod.Status.ContainerStatuses {
			if !status.Ready {
				failure.problem.container, failure.problem.crashed = status.Name, status.State.Running == nil && status.RestartCount > 0
				failure.Message += "; " + describeContainer(status)
				break
			}
		}
		break
	}
	return failure
}
