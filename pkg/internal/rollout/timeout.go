package rollout

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// maxUnready is how many pods a timeout explains one by one.
const maxUnready = 5

// timeoutFailure says what was missing when time ran out. trouble is what kept the API
// server from being watched at the end, if anything.
func timeoutFailure(v view, timeout time.Duration, trouble error) *failure {
	failed := &failure{FailedError: FailedError{Reason: "Timeout", NotInTime: true}}
	failed.Message = fmt.Sprintf("not ready after %s: %s", timeout, v.waiting())
	if trouble != nil {
		failed.Message += fmt.Sprintf("; this may be out of date, since the API server answered: %v", trouble)
	}
	unreadyPods := 0
	for _, pod := range v.current {
		if podReady(pod) || pod.Status.Phase == corev1.PodSucceeded {
			continue
		}
		if unreadyPods++; unreadyPods > maxUnready {
			continue
		}
		p := unreadyProblem(pod)
		failed.NotReady = append(failed.NotReady, fmt.Sprintf("pod %s: %s", pod.Name, podNamesOnly(p.message)))
		if failed.problem == nil {
			failed.problem = p
		}
	}
	if more := unreadyPods - maxUnready; more > 0 {
		failed.NotReady = append(failed.NotReady, "and "+progress.Counted(more, "more pod"))
	}
	return failed
}

// unreadyProblem says why a pod is not ready, and which container keeps it so. The
// init containers come first, as they run.
func unreadyProblem(pod *corev1.Pod) *problem {
	if p := unscheduled(pod); p != nil {
		p.message = p.reason + " " + p.message
		return p
	}
	images := kube.ImagesOf(&pod.Spec)
	for i, status := range kube.ContainerStatuses(pod) {
		completed := status.State.Terminated != nil && status.State.Terminated.ExitCode == 0
		if status.Ready || i < len(pod.Status.InitContainerStatuses) && completed {
			continue
		}
		return &problem{
			pod: pod, container: status.Name, image: images[status.Name], restarts: int(status.RestartCount),
			message: describeContainer(status), crashed: status.State.Running == nil && status.RestartCount > 0,
		}
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Status == corev1.ConditionFalse && condition.Message != "" {
			return &problem{pod: pod, message: string(condition.Type) + ": " + condition.Message}
		}
	}
	return &problem{pod: pod, message: "not ready"}
}
