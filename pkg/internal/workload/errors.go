package workload

import (
	"fmt"
	"strings"
)

// ClaimedError says that a workload is another consumer's.
type ClaimedError struct {
	Workload, Namespace, Consumer, Ours string
}

func (e *ClaimedError) Error() string {
	return fmt.Sprintf("%s in namespace %s is deployed by consumer %q, not %q\ndeploy it there all the same with --take-over",
		e.Workload, e.Namespace, e.Consumer, e.Ours)
}

// RolloutError says why a rollout cannot succeed, or did not in time.
type RolloutError struct {
	Workload, Namespace string
	// Reason is a machine word like ErrImageNeverPull, CrashLoopBackOff, Timeout.
	Reason string
	// Pod, Container and Node where it shows; may be empty.
	Pod, Container, Node string
	// Image that the container asks for.
	Image string
	// Message is the first that was seen: later ones often lose the cause.
	Message string
	// Logs are the last lines of the container, Events the last of the pod.
	Logs, Events []string
	// NotInTime is set when time ran out instead of success being impossible.
	NotInTime bool
	// Inconsistent is set when a node does not have what the record says.
	Inconsistent bool
}

func (e *RolloutError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s in namespace %s is not rolled out: %s", e.Workload, e.Namespace, e.Reason)
	line := func(what, value string) {
		if value != "" {
			fmt.Fprintf(&text, "\n  %-9s %s", what, value)
		}
	}
	line("pod", e.Pod)
	line("container", e.Container)
	line("node", e.Node)
	line("image", e.Image)
	line("message", e.Message)
	for i, event := range e.Events {
		line([]string{"events", ""}[min(i, 1)], event)
	}
	for i, log := range e.Logs {
		line([]string{"log", ""}[min(i, 1)], log)
	}
	if e.Pod != "" {
		fmt.Fprintf(&text, "\nlook closer: kubectl describe pod %s -n %s", e.Pod, e.Namespace)
	} else {
		fmt.Fprintf(&text, "\nlook closer: kubectl describe %s -n %s", e.Workload, e.Namespace)
	}
	return text.String()
}
