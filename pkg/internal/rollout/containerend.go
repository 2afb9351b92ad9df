package rollout

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// exitKilled is the exit code of what SIGKILL ended.
const exitKilled = 137

const oomKilled = "OOMKilled"

// lastEnd is how a container ended last, nil for one that never has.
func lastEnd(status corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	if end := status.State.Terminated; end != nil {
		return end
	}
	return status.LastTerminationState.Terminated
}

// howEnded says in a few words how a container ended last, and how often.
func howEnded(status corev1.ContainerStatus) string {
	var how []string
	last := ""
	if status.RestartCount > 0 {
		how, last = append(how, "restarted "+progress.Counted(int(status.RestartCount), "time")), "last "
	}
	if end := lastEnd(status); end != nil {
		code := fmt.Sprintf("%sexit code %d", last, end.ExitCode)
		switch {
		case end.Reason != "" && end.Reason != "Error":
			code += " (" + end.Reason + ")"
		case end.ExitCode == exitKilled:
			code += " (killed)"
		}
		how = append(how, code)
	}
	return strings.Join(how, ", ")
}

// describeEnd also has what the container has left as its message.
func describeEnd(status corev1.ContainerStatus) string {
	how := howEnded(status)
	if end := lastEnd(status); end != nil && end.Message != "" {
		how += ": " + end.Message
	}
	return how
}

// killedHint is what to do about a container that was killed, "" for others. A kubelet
// under load does not notice that it was for want of memory: then the exit code is all that
// is known, and a limit makes it likely.
func killedHint(pod *corev1.Pod, status corev1.ContainerStatus) string {
	end := lastEnd(status)
	if end == nil || end.Reason != oomKilled && end.ExitCode != exitKilled {
		return ""
	}
	limit := ""
	for _, c := range kube.Containers(&pod.Spec) {
		if memory, ok := c.Resources.Limits[corev1.ResourceMemory]; ok && c.Name == status.Name {
			limit = memory.String()
		}
	}
	raise := "raise resources.limits.memory of container " + status.Name
	switch {
	case limit != "" && end.Reason == oomKilled:
		return fmt.Sprintf("it was killed at its memory limit of %s; %s", limit, raise)
	case limit != "":
		return fmt.Sprintf("it was killed (137), and it has a memory limit of %s; if it needs more, %s", limit, raise)
	case end.Reason == oomKilled:
		return "it was killed because its node has no memory left; kubectl describe node " + pod.Spec.NodeName
	}
	return ""
}

// describeContainer says why a container is not ready.
func describeContainer(status corev1.ContainerStatus) string {
	switch waiting := status.State.Waiting; {
	case waiting != nil && waiting.Reason == "CrashLoopBackOff", status.State.Terminated != nil:
		return fmt.Sprintf("container %s: %s", status.Name, describeEnd(status))
	case waiting != nil:
		return fmt.Sprintf("container %s waits: %s", status.Name, strings.TrimSpace(waiting.Reason+" "+waiting.Message))
	case status.State.Running == nil:
		return fmt.Sprintf("container %s has not been started", status.Name)
	}
	return fmt.Sprintf("container %s runs but is not ready", status.Name)
}

// podTrouble says in a few words what keeps a pod from being ready, "" while it may be just
// its time, and how often its containers were restarted meanwhile.
func podTrouble(pod *corev1.Pod) (words string, restarts int32) {
	if p := unscheduled(pod); p != nil {
		return p.reason, 0
	}
	all := kube.ContainerStatuses(pod)
	for _, status := range all {
		end, waiting := lastEnd(status), status.State.Waiting
		said := ""
		switch {
		case status.Ready:
		case failedStart(status) != nil:
			said = failedStart(status).Reason
		case status.RestartCount > 0 || end != nil && end.ExitCode != 0:
			said = howEnded(status)
		case waiting != nil && !slices.Contains([]string{"", "ContainerCreating", "PodInitializing"}, waiting.Reason):
			said = waiting.Reason
		}
		if said == "" {
			continue
		}
		if len(all) > 1 {
			said = status.Name + ": " + said
		}
		return said, status.RestartCount
	}
	return "", 0
}

// worstTrouble is that of the pod that was restarted most.
func worstTrouble(pods []*corev1.Pod) string {
	worst, most := "", int32(-1)
	for _, pod := range pods {
		if podReady(pod) || pod.Status.Phase == corev1.PodSucceeded {
			continue
		}
		if words, restarts := podTrouble(pod); words != "" && restarts > most {
			worst, most = words, restarts
		}
	}
	return worst
}
