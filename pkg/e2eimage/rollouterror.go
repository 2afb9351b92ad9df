package e2eimage

import (
	"fmt"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/rollout"
)

// RolloutError says why a workload is not rolled out, and what was seen of it until then.
// errors.As finds the gravest in errors of Deploy, Up and Verify, Errors all.
type RolloutError struct {
	// Workload is the object as KIND.GROUP/NAME.
	Workload  string `json:"workload"`
	Namespace string `json:"namespace"`
	// Reason is a machine word like ErrImageNeverPull, CrashLoopBackOff, Timeout,
	// Interrupted.
	Reason string `json:"reason"`
	// Pod, Container and Node where it shows; may be empty.
	Pod       string `json:"pod,omitempty"`
	Container string `json:"container,omitempty"`
	Node      string `json:"node,omitempty"`
	// Image that the container asks for.
	Image string `json:"image,omitempty"`
	// Message is the first that was seen: later ones often lose the cause.
	Message string `json:"message"`
	// Restarts of the container.
	Restarts int `json:"restarts,omitempty"`
	// NotReady has a line for each pod that was not ready in time.
	NotReady []string `json:"notReady,omitempty"`
	// Claims has a line for each volume claim that keeps the pod from a node, Nodes one
	// for each node that does not take it.
	Claims []string `json:"claims,omitempty"`
	Nodes  []string `json:"nodes,omitempty"`
	// Logs are the last lines of the container, Events the last of the pod, or of the
	// workload where it is no pod's fault. What looks like a secret is masked in both,
	// and in Message.
	Logs   []string `json:"logs,omitempty"`
	Events []string `json:"events,omitempty"`
	// Hint is what to do about it, where that is known.
	Hint string `json:"hint,omitempty"`
	// NotInTime is set where the rollout's own timeout passed.
	NotInTime bool `json:"notInTime,omitempty"`
	// Ended is set where the caller's context ended before the rollout did.
	Ended bool `json:"ended,omitempty"`
	// Inconsistent is set where a node or the workload does not have what is recorded.
	Inconsistent bool `json:"inconsistent,omitempty"`
	// Err has the message with all of it.
	Err error `json:"-"`
}

func (e *RolloutError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s in namespace %s is not rolled out: %s", e.Workload, e.Namespace, e.Reason)
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *RolloutError) Unwrap() error { return e.Err }

func rolloutError(e *rollout.FailedError) *RolloutError {
	return &RolloutError{
		Workload: e.Workload, Namespace: e.Namespace, Reason: e.Reason, Pod: e.Pod, Container: e.Container,
		Node: e.Node, Image: e.Image, Message: e.Message, Restarts: e.Restarts, NotReady: e.NotReady, Claims: e.Claims,
		Nodes: e.Nodes, Logs: e.Logs, Events: e.Events, Hint: e.Hint, NotInTime: e.NotInTime,
		Ended: e.Interrupted(), Inconsistent: e.Inconsistent, Err: e,
	}
}

// finding is the rollout as one of several findings.
func (e *RolloutError) finding() *Error {
	found := &Error{
		Code: CodeRollout, Node: e.Node, Namespace: e.Namespace, Workload: e.Workload, Fix: e.Hint, Rollout: e,
	}
	switch {
	case e.Inconsistent:
		found.least = exitInconsistent
	case e.NotInTime:
		found.least = exitTimeout
	}
	return found
}
