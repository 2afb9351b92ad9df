package rollout

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// problems lists what keeps the rollout from going on.
func (j *judge) problems(v view, progress rolloutStatus) []problem {
	var found []problem
	if progress.pending != nil {
		found = append(found, *progress.pending)
	}
	leaving := terminating(v.others)
	for _, pod := range v.current {
		if _, job := v.object.Object.(*batchv1.Job); job && kube.HasEnded(pod) {
			// The next one may do better; the Job itself counts them.
			continue
		}
		// Pods that are on their way out may hold what this one needs.
		if p := unscheduled(pod); p != nil && !leaving {
			found = append(found, *p)
		}
		problems := containerProblems(pod, j.home, j.maxRestarts)
		if p := stalled(pod); p != nil && len(problems) == 0 {
			problems = append(problems, *p)
		}
		found = append(found, problems...)
	}
	found = append(found, j.blocked(v)...)
	found = append(found, j.failing(v)...)
	if lacksPods(v, progress) {
		found = append(found, problem{class: classMissing, reason: "FailedCreate"})
	}
	return found
}

// failing is a Job that is given up although it would try again, and a ReplicaSet
// whose pods stay as they are.
func (j *judge) failing(v view) []problem {
	switch o := v.object.Object.(type) {
	case *batchv1.Job:
		// Of Jobs with several pods the Job's own limits know more.
		single := ptr.Deref(o.Spec.Completions, 1) <= 1 && ptr.Deref(o.Spec.Parallelism, 1) <= 1
		last := lastFailed(v.current)
		if last == nil || !single || j.maxRestarts <= 0 || int(o.Status.Failed-j.failedBefore) <= j.maxRestarts ||
			slices.ContainsFunc(v.current, func(pod *corev1.Pod) bool { return !kube.HasEnded(pod) }) {
			return nil
		}
		p := unreadyProblem(last)
		p.class, p.reason, p.atOnce = classCrash, "PodsFailed", true
		p.message = fmt.Sprintf("%s of the Job failed; the last one: %s",
			progress.Counted(int(o.Status.Failed-j.failedBefore), "pod"), p.message)
		return []problem{*p}
	case *appsv1.ReplicaSet:
		old := 0
		for _, pod := range v.others {
			if pod.DeletionTimestamp == nil && !kube.HasEnded(pod) {
				old++
			}
		}
		if old == 0 {
			return nil
		}
		return []problem{{
			class: classOld, reason: "OldPods", atOnce: true, hint: replacePods(o.Namespace, o.Spec.Selector.MatchLabels),
			message: fmt.Sprintf("a ReplicaSet does not replace its pods, and has %s of another template",
				progress.Counted(old, "pod")),
		}}
	}
	return nil
}

// blocked lists pods of an older revision that keep a StatefulSet from going on:
// with OrderedReady its controller replaces no pod while any is not ready, not
// even the broken one.
func (j *judge) blocked(v view) []problem {
	s, ok := v.object.Object.(*appsv1.StatefulSet)
	if !ok || s.Spec.PodManagementPolicy == appsv1.ParallelPodManagement || s.Status.ObservedGeneration < s.Generation ||
		s.Spec.UpdateStrategy.Type != "" && s.Spec.UpdateStrategy.Type != appsv1.RollingUpdateStatefulSetStrategyType {
		return nil
	}
	var found []problem
	for _, pod := range v.others {
		if pod.DeletionTimestamp != nil || kube.HasEnded(pod) || podReady(pod) {
			continue
		}
		problems := containerProblems(pod, func(string) home { return elsewhere }, j.maxRestarts)
		if p := unscheduled(pod); p != nil {
			problems = append(problems, *p)
		}
		for _, p := range problems {
			why := strings.TrimSpace(p.reason + " " + p.message)
			p.class, p.reason, p.atOnce, p.inconsistent = classBlocked, "BlockedByOldPod", false, false
			p.message = "this pod of the revision before is not ready, and OrderedReady replaces no pod until it is: " + why
			p.hint = fmt.Sprintf("replace it with: kubectl delete pod %s -n %s", pod.Name, pod.Namespace)
			found = append(found, p)
		}
	}
	return found
}

// lacksPods tells whether the controller should have made a pod and has not. For
// a Deployment its condition tells.
func lacksPods(v view, progress rolloutStatus) bool {
	pods := len(v.current) + len(v.others)
	if progress.waiting == statusUnseen || pods >= int(progress.desired) || terminating(v.others) {
		return false
	}
	switch o := v.object.Object.(type) {
	case *appsv1.DaemonSet, *batchv1.Job:
		return true
	case *appsv1.StatefulSet:
		if o.Spec.PodManagementPolicy == appsv1.ParallelPodManagement {
			return true
		}
		return firstUnready(v.current) == nil && firstUnready(v.others) == nil
	}
	return false
}

// creationRefusal is the event that says that no pod can be made, if that is the last
// that is known about it.
func creationRefusal(events []*corev1.Event) *corev1.Event {
	var last *corev1.Event
	for _, event := range events {
		if event.Reason != "FailedCreate" && event.Reason != "SuccessfulCreate" {
			continue
		}
		if last == nil || !eventTime(*event).Before(eventTime(*last)) {
			last = event
		}
	}
	if last == nil || last.Reason != "FailedCreate" {
		return nil
	}
	return last
}

func terminating(pods []*corev1.Pod) bool {
	return slices.ContainsFunc(pods, func(pod *corev1.Pod) bool { return pod.DeletionTimestamp != nil })
}
