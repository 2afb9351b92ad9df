package rollout

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// FailedError says why a rollout cannot succeed, or did not in time.
type FailedError struct {
	Workload  string
	Namespace string
	// Reason is a machine word like ErrImageNeverPull, CrashLoopBackOff, Timeout,
	// Interrupted.
	Reason string
	// Pod, Container and Node where it shows; may be empty.
	Pod       string
	Container string
	Node      string
	// Image that the container asks for.
	Image string
	// Message is the first that was seen: later ones often lose the cause.
	Message string
	// Restarts of the container.
	Restarts int
	// NotReady has a line for each pod that was not ready in time.
	NotReady []string
	// Claims has a line for each volume claim that keeps the pod from a node, Nodes
	// one for each node that does not take it.
	Claims []string
	Nodes  []string
	// Logs are the last lines of the container, Events the last of the pod, or
	// of the workload where it is no pod's fault. What looks like a secret is
	// masked in both, and in Message.
	Logs   []string
	Events []string
	// Hint is what to do about it, where that is known.
	Hint string
	// NotInTime is set when time ran out instead of success being impossible.
	NotInTime bool
	// Inconsistent is set when a node or the workload does not have what the
	// record says.
	Inconsistent bool

	// crashed: the log is the previous container's.
	crashed bool
}

// reasonDeleted: there is nothing left to be described.
const reasonDeleted = "Deleted"

const (
	// width that errors are readable at; what is meant to be copied is not broken.
	width  = 80
	indent = 12
)

// Interrupted tells whether the caller did not wait any longer.
func (e *FailedError) Interrupted() bool { return e.Reason == reasonInterrupted }

func (e *FailedError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s in namespace %s is not rolled out: %s", e.Workload, e.Namespace, e.Reason)
	block := func(what string, lines ...string) {
		for _, line := range lines {
			if line != "" {
				fmt.Fprintf(&text, "\n  %-*s%s", indent-2, what, line)
				what = ""
			}
		}
	}
	block("pod", e.Pod)
	block("container", e.Container)
	block("node", e.Node)
	block("image", e.Image)
	block("message", fold(e.Message, width-indent)...)
	block("not ready", folded(e.NotReady)...)
	block("claims", folded(e.Claims)...)
	block("nodes", folded(e.Nodes)...)
	block("events", folded(e.Events)...)
	block("log", e.Logs...)
	if e.Hint != "" {
		text.WriteString("\n" + e.Hint)
	}
	text.WriteString("\nlook closer: " + e.nextCommand())
	return text.String()
}

// nextCommand is the next command to type.
func (e *FailedError) nextCommand() string {
	switch {
	case e.Reason == reasonDeleted:
		return "kubectl get events -n " + e.Namespace
	case e.Pod == "":
		return fmt.Sprintf("kubectl describe %s -n %s", e.Workload, e.Namespace)
	case e.crashed:
		return fmt.Sprintf("kubectl logs %s -n %s -c %s --previous\n             kubectl describe pod %s -n %s",
			e.Pod, e.Namespace, e.Container, e.Pod, e.Namespace)
	}
	return fmt.Sprintf("kubectl describe pod %s -n %s", e.Pod, e.Namespace)
}

func folded(lines []string) []string {
	var all []string
	for _, line := range lines {
		all = append(all, fold(line, width-indent)...)
	}
	return all
}

// fold breaks text at spaces, and where it has line breaks of its own.
func fold(text string, width int) []string {
	var lines []string
	for _, paragraph := range strings.Split(strings.TrimSpace(text), "\n") {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
				lines, line = append(lines, line), ""
			}
			line = strings.TrimPrefix(line+" "+word, " ")
		}
		lines = append(lines, line)
	}
	return lines
}

// severity orders failures: what decides how the whole is to be taken first.
func severity(err error) int {
	var failed *FailedError
	switch {
	case err == nil:
		return 5
	case !errors.As(err, &failed):
		return 4
	case failed.Inconsistent:
		return 0
	case failed.NotInTime:
		return 2
	case failed.Reason == "Unfinished", failed.Interrupted():
		return 3
	}
	return 1
}
