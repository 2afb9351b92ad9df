package rollout

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// DescribePod says in lines how a pod is and why. Nothing is masked.
func DescribePod(pod *corev1.Pod, events []corev1.Event) string {
	var text strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&text, format+"\n", args...) }
	line("pod        %s/%s", pod.Namespace, pod.Name)
	line("node       %s", pod.Spec.NodeName)
	line("phase      %s%s", pod.Status.Phase, reasoned(pod.Status.Reason, pod.Status.Message))
	line("created    %s", at(pod.CreationTimestamp))
	if pod.DeletionTimestamp != nil {
		line("deleted    %s", at(*pod.DeletionTimestamp))
	}
	for _, condition := range pod.Status.Conditions {
		line("condition  %s=%s%s", condition.Type, condition.Status, reasoned(condition.Reason, condition.Message))
	}
	statuses := kube.ContainerStatuses(pod)
	for _, container := range kube.Containers(&pod.Spec) {
		line("container  %s", container.Name)
		line("  image    %s, pull policy %s", container.Image, container.ImagePullPolicy)
		i := slices.IndexFunc(statuses, func(s corev1.ContainerStatus) bool { return s.Name == container.Name })
		if i < 0 {
			line("  state    not started")
			continue
		}
		status := statuses[i]
		line("  imageID  %s", status.ImageID)
		line("  state    %s, ready %t, %d restarts", stateOf(status.State), status.Ready, status.RestartCount)
		if last := stateOf(status.LastTerminationState); last != "" {
			line("  before   %s", last)
		}
	}
	for _, event := range events {
		if event.InvolvedObject.UID == pod.UID {
			line("event      %s", DescribeEvent(event))
		}
	}
	return text.String()
}

// DescribeEvent is one line: when, what kind, about what, and what it says.
func DescribeEvent(event corev1.Event) string {
	about := event.InvolvedObject
	return fmt.Sprintf("%s %s %s %s/%s: %s%s", eventTime(event).UTC().Format(time.RFC3339), event.Type, event.Reason,
		strings.ToLower(about.Kind), about.Name, strings.ReplaceAll(strings.TrimSpace(event.Message), "\n", " "),
		howOften(event))
}

// maxListedEvents bounds what one namespace tells.
const maxListedEvents = 2000

// Events are those of a namespace, oldest first.
func Events(ctx context.Context, api kube.API, namespace string) ([]corev1.Event, error) {
	listed, err := api.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{Limit: maxListedEvents})
	if err != nil {
		return nil, kube.ExplainAPI("list events in namespace "+namespace, err)
	}
	slices.SortStableFunc(listed.Items, func(a, b corev1.Event) int { return eventTime(a).Compare(eventTime(b)) })
	return listed.Items, nil
}

// IsReady tells whether a pod is ready, or has done what it was for.
func IsReady(pod *corev1.Pod) bool { return podReady(pod) || pod.Status.Phase == corev1.PodSucceeded }

// stateOf is "" for a state that never was.
func stateOf(state corev1.ContainerState) string {
	switch {
	case state.Waiting != nil:
		return "waiting" + reasoned(state.Waiting.Reason, state.Waiting.Message)
	case state.Running != nil:
		return "running since " + at(state.Running.StartedAt)
	case state.Terminated != nil:
		ended := state.Terminated
		return fmt.Sprintf("ended %s with exit code %d%s", at(ended.FinishedAt), ended.ExitCode,
			reasoned(ended.Reason, ended.Message))
	}
	return ""
}

func reasoned(reason, message string) string {
	text := ""
	if reason != "" {
		text += ", " + reason
	}
	if message != "" {
		text += ": " + strings.ReplaceAll(strings.TrimSpace(message), "\n", " ")
	}
	return text
}

func at(when metav1.Time) string { return when.UTC().Format(time.RFC3339) }
