package workload

import (
	"bufio"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
)

// appsObject is what the informer of a workload holds.
type appsObject interface {
	runtime.Object
	metav1.Object
}

// failed is a rollout that ended, and the problem that ended it.
type failed struct {
	RolloutError
	problem *problem
}

const (
	// diagnosisLimit bounds the calls that explain a failure.
	diagnosisLimit = 5 * time.Second
	maxLogLines    = 20
	maxEvents      = 8
	maxLine        = 500
)

// diagnose completes a failure with where it shows, logs and events. It has its
// own time: the rollout's may be what ran out.
func (p *Plan) diagnose(ctx context.Context, t *target, failure *failed) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), diagnosisLimit)
	defer cancel()
	e := failure.RolloutError
	e.Workload, e.Namespace = t.ref.String(), t.ref.namespace
	kind, name := map[kind]string{deployment: "Deployment", statefulSet: "StatefulSet", daemonSet: "DaemonSet"}[t.ref.kind], t.ref.name
	if cause := failure.problem; cause != nil && cause.pod != nil {
		e.Pod, e.Node, e.Container, e.Image = cause.pod.Name, cause.pod.Spec.NodeName, cause.container, cause.image
		e.Inconsistent = cause.inconsistent
		kind, name = "Pod", cause.pod.Name
		if cause.container != "" {
			e.Logs = p.logs(ctx, cause)
		}
	}
	e.Events = p.events(ctx, t.ref.namespace, kind, name)
	return &e
}

func (p *Plan) logs(ctx context.Context, cause *problem) []string {
	lines := int64(maxLogLines)
	stream, err := p.api.CoreV1().Pods(cause.pod.Namespace).GetLogs(cause.pod.Name, &corev1.PodLogOptions{
		Container: cause.container, Previous: cause.crashed, TailLines: &lines,
	}).Stream(ctx)
	if err != nil {
		return nil
	}
	defer func() { _ = stream.Close() }()
	var kept []string
	scanner := bufio.NewScanner(stream)
	for scanner.Scan() && len(kept) < maxLogLines {
		kept = append(kept, mask(shorten(scanner.Text())))
	}
	return kept
}

func (p *Plan) events(ctx context.Context, namespace, kind, name string) []string {
	listed, err := p.api.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{
		FieldSelector: fields.Set{"involvedObject.kind": kind, "involvedObject.name": name}.String(),
	})
	if err != nil {
		return nil
	}
	slices.SortStableFunc(listed.Items, func(a, b corev1.Event) int { return eventTime(a).Compare(eventTime(b)) })
	var lines []string
	for _, event := range listed.Items[max(0, len(listed.Items)-maxEvents):] {
		lines = append(lines, mask(shorten(fmt.Sprintf("%s: %s", event.Reason, event.Message))))
	}
	return lines
}

func eventTime(event corev1.Event) time.Time {
	for _, at := range []time.Time{event.LastTimestamp.Time, event.EventTime.Time} {
		if !at.IsZero() {
			return at
		}
	}
	return event.CreationTimestamp.Time
}

func shorten(line string) string {
	line = strings.TrimSpace(line)
	if len(line) > maxLine {
		return line[:maxLine] + "…"
	}
	return line
}

var secrets = regexp.MustCompile(`(?i)((?:password|passwd|secret|token|api[-_]?key|authorization)["']?\s*[=:]\s*["']?(?:bearer\s+)?)[^\s"',;]+`)

// mask hides what looks like a secret: errors end up in CI logs.
func mask(line string) string { return secrets.ReplaceAllString(line, "${1}***") }

func describeEnd(restarts int32, end *corev1.ContainerStateTerminated) string {
	if end == nil {
		return fmt.Sprintf("restarted %d times", restarts)
	}
	how := fmt.Sprintf("restarted %d times; last exit code %d", restarts, end.ExitCode)
	if end.Reason != "" && end.Reason != "Error" {
		how += " (" + end.Reason + ")"
	}
	return how
}

func describeContainer(status corev1.ContainerStatus) string {
	switch {
	case status.State.Waiting != nil:
		return fmt.Sprintf("container %s waits: %s", status.Name, strings.TrimSpace(status.State.Waiting.Reason+" "+status.State.Waiting.Message))
	case status.State.Terminated != nil:
		return fmt.Sprintf("container %s %s", status.Name, describeEnd(status.RestartCount, status.State.Terminated))
	}
	return fmt.Sprintf("container %s runs but is not ready", status.Name)
}
