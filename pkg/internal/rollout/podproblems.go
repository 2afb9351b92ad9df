package rollout

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// problem is something that keeps a rollout from going on.
type problem struct {
	pod       *corev1.Pod
	container string
	image     string
	// class groups reasons that alternate, like ErrImagePull and
	// ImagePullBackOff, whose second loses the cause.
	class    string
	reason   string
	message  string
	hint     string
	restarts int
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

// Classes of problems with more than one reason.
const (
	classPull = "pull"
	// classPullAgain: the kubelet tries again, and only the rollout's timeout ends that.
	classPullAgain = "pull again"

	classCreate  = "create"
	classCrash   = "crash"
	classBlocked = "blocked"
	classMissing = "missing"
	classOld     = "old"
	classStalled = "stalled"
)

// unscheduled is the problem of a pod that gets no node, nil if it has one.
func unscheduled(pod *corev1.Pod) *problem {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return &problem{pod: pod, reason: condition.Reason, message: condition.Message}
		}
	}
	return nil
}

// containerProblems lists what keeps a pod's containers from running. of tells
// where an image is to come from; maxRestarts bounds crash loops, 0 for never.
func containerProblems(pod *corev1.Pod, of func(image string) home, maxRestarts int) []problem {
	var found []problem
	images := kube.ImagesOf(&pod.Spec)
	for _, status := range kube.ContainerStatuses(pod) {
		p := problem{pod: pod, container: status.Name, image: images[status.Name], restarts: int(status.RestartCount)}
		if crashProblem(&p, status, maxRestarts) || waitingProblem(&p, status, of(p.image)) {
			found = append(found, p)
		}
	}
	return found
}

// crashProblem fills in a crash loop that is given up. A container that runs
// right now may still come through, however often it was restarted.
func crashProblem(p *problem, status corev1.ContainerStatus, maxRestarts int) bool {
	down := status.State.Waiting != nil && status.State.Waiting.Reason == "CrashLoopBackOff" ||
		status.State.Terminated != nil && status.State.Terminated.ExitCode != 0
	if !down || maxRestarts <= 0 || p.restarts < maxRestarts {
		return false
	}
	p.class, p.reason, p.atOnce, p.crashed = classCrash, "CrashLoopBackOff", true, true
	p.message, p.hint = describeEnd(status), killedHint(p.pod, status)
	return true
}

// waitingProblem fills in why a container was not started.
func waitingProblem(p *problem, status corev1.ContainerStatus, from home) bool {
	recorded := from != elsewhere
	if end := failedStart(status); end != nil {
		p.class, p.reason, p.message = classCreate, end.Reason, end.Message
		if strings.Contains(p.message, "exec format error") {
			p.hint = "the program is built for another CPU architecture than the node has"
		}
		return true
	}
	waiting := status.State.Waiting
	if waiting == nil {
		return false
	}
	p.reason, p.message = waiting.Reason, waiting.Message
	defer func() {
		if !recorded && (p.class == classPull || p.reason == "ErrImageNeverPull") {
			p.hint = "it is no recorded image; put it on the nodes: kubectl e2eimage load " + p.image
		}
	}()
	switch waiting.Reason {
	case "ErrImageNeverPull":
		p.atOnce, p.inconsistent = true, recorded
	case "InvalidImageName":
		p.atOnce = true
	case "ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed":
		p.class, p.atOnce, p.inconsistent = classPull, recorded, recorded
		if from == inRegistry {
			explainPull(p)
		}
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreCreateHookError",
		"PreStartHookError":
		p.class = classCreate
	default:
		return false
	}
	return true
}

// failedStart is how a container ended whose program could not even be started,
// nil for others. The kubelet goes on to call it CrashLoopBackOff, in turn with
// RunContainerError, and neither has the cause.
func failedStart(status corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	end := status.State.Terminated
	if waiting := status.State.Waiting; waiting != nil &&
		(waiting.Reason == "CrashLoopBackOff" || waiting.Reason == "RunContainerError") {
		end = status.LastTerminationState.Terminated
	}
	if end == nil || end.Reason != "StartError" && end.Reason != "ContainerCannotRun" {
		return nil
	}
	return end
}

func podReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}
