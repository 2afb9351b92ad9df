package rollout

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

const (
	// diagnosisLimit bounds the calls that explain a failure.
	diagnosisLimit = 5 * time.Second
	maxLogLines    = 20
	maxLogBytes    = 1 << 20
	maxEvents      = 10
)

// diagnose completes a failure with where it shows, logs and events. The context
// is the caller's: the rollout's own time may be what ran out.
func (r *Rollouts) diagnose(ctx context.Context, t *kube.Target, failed *failure) error {
	ctx, cancel := context.WithTimeout(ctx, diagnosisLimit)
	defer cancel()
	e := failed.FailedError
	e.Workload, e.Namespace = t.Ref.String(), t.Ref.Namespace
	about := string(t.Object.Meta.UID)
	if cause := failed.problem; cause != nil && cause.pod != nil {
		e.Pod, e.Node, e.Container, e.Image = cause.pod.Name, cause.pod.Spec.NodeName, cause.container, cause.image
		e.Restarts, e.crashed = cause.restarts, cause.crashed
		e.Inconsistent = e.Inconsistent || cause.inconsistent
		about = string(cause.pod.UID)
		if wasStarted(cause) {
			e.Logs = r.logs(ctx, cause)
		}
	}
	events := r.events(ctx, t.Ref.Namespace, about)
	if failed.problem != nil && failed.problem.class == classPull {
		e.Message = pullCause(e.Message, events)
	}
	e.hintOfPull(t, failed.problem, events)
	if cause := failed.problem; cause != nil && cause.pod != nil {
		if answer := lastProbeFailure(events, cause.container); answer != "" && !cause.crashed {
			e.Message += "; " + answer
		}
		if cause.pod.Spec.NodeName == "" {
			if e.Claims = tidy(r.unboundClaims(ctx, cause.pod)); len(e.Claims) == 0 {
				e.Nodes = tidy(r.nodeRefusals(ctx, cause.pod))
			}
		}
	}
	e.Message = foreign.Masked(podNamesOnly(e.Message))
	e.NotReady = tidy(e.NotReady)
	e.Events = describeEvents(slices.DeleteFunc(events, e.alreadyTells))
	return &e
}

// lastProbeFailure is what a container answered its probe last, "" for nothing.
func lastProbeFailure(events []corev1.Event, container string) string {
	for _, event := range slices.Backward(events) {
		if event.Reason != "Unhealthy" || !strings.Contains(event.InvolvedObject.FieldPath, "{"+container+"}") {
			continue
		}
		answer := strings.TrimSpace(event.Message)
		return answer + howOften(event)
	}
	return ""
}

// wasStarted: a container that never was has no log.
func wasStarted(cause *problem) bool {
	return kube.ContainerIDs(cause.pod)[cause.container] != ""
}

// logLag is how long a log is asked for that the kubelet takes away while it starts
// the next container: 3 seconds in all.
var logLag = wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Steps: 5}

// logs returns the last lines of a container; of the one before it, where that
// tells why it crashed and is still there.
func (r *Rollouts) logs(ctx context.Context, cause *problem) []string {
	var lines []string
	_ = wait.ExponentialBackoffWithContext(ctx, logLag, func(ctx context.Context) (bool, error) {
		var err error
		if lines, err = r.lastLines(ctx, cause, cause.crashed); err == nil && (len(lines) > 0 || !cause.crashed) {
			return true, nil
		}
		lines, err = r.lastLines(ctx, cause, false)
		return !errors.Is(err, errNoLog), nil
	})
	return lines
}

func (r *Rollouts) lastLines(ctx context.Context, cause *problem, previous bool) ([]string, error) {
	last := int64(maxLogLines)
	stream, err := r.api.CoreV1().Pods(cause.pod.Namespace).GetLogs(cause.pod.Name, &corev1.PodLogOptions{
		Container: cause.container, Previous: previous, TailLines: &last,
	}).Stream(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stream.Close() }()
	lines, err := readLines(io.LimitReader(stream, maxLogBytes))
	if len(lines) == 1 && slices.ContainsFunc(noLog, func(begin string) bool {
		return strings.HasPrefix(lines[0], begin)
	}) {
		return nil, errNoLog
	}
	return lines, err
}

var errNoLog = errors.New("the log is gone")

// noLog is how the kubelet begins what it sends, as a success, instead of the
// log of a container that it has taken away meanwhile
// (k8s.io/kubernetes/pkg/kubelet/kuberuntime/logs).
var noLog = []string{"unable to retrieve container logs for ", "failed to try resolving symlinks in path "}

// readLines keeps the beginning of each line, however long it is.
func readLines(from io.Reader) ([]string, error) {
	var kept []string
	reader := bufio.NewReaderSize(from, 64<<10)
	for {
		line, more, err := reader.ReadLine()
		if err != nil {
			return tidy(kept[max(0, len(kept)-maxLogLines):]), nil
		}
		kept = append(kept, string(line))
		for more && err == nil {
			_, more, err = reader.ReadLine()
		}
	}
}

// events returns those about the object, oldest first. To go without them only
// makes the report poorer.
func (r *Rollouts) events(ctx context.Context, namespace, uid string) []corev1.Event {
	listed, err := r.api.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("involvedObject.uid", uid).String(),
	})
	if err != nil {
		return nil
	}
	about := slices.DeleteFunc(listed.Items, func(event corev1.Event) bool {
		return string(event.InvolvedObject.UID) != uid
	})
	slices.SortStableFunc(about, func(a, b corev1.Event) int { return eventTime(a).Compare(eventTime(b)) })
	return about
}

// alreadyTells tells whether the report says already what an event does.
func (e *FailedError) alreadyTells(event corev1.Event) bool {
	said := foreign.Masked(podNamesOnly(strings.TrimSpace(event.Message)))
	return said != "" && strings.Contains(e.Message, said) || e.crashed && event.Reason == "BackOff"
}

func howOften(event corev1.Event) string {
	if event.Count > 1 {
		return fmt.Sprintf(" (%d times)", event.Count)
	}
	return ""
}

func describeEvents(events []corev1.Event) []string {
	var lines []string
	for _, event := range events[max(0, len(events)-maxEvents):] {
		lines = append(lines, event.Reason+": "+podNamesOnly(event.Message)+howOften(event))
	}
	return tidy(lines)
}

// pullCause is the message, or the event that says what a back-off left out.
func pullCause(message string, events []corev1.Event) string {
	if !strings.HasPrefix(message, "Back-off pulling image") || strings.Contains(message, ": ErrImagePull: ") {
		return message
	}
	for _, event := range events {
		if event.Reason == "Failed" && strings.HasPrefix(event.Message, "Failed to pull image") {
			return event.Message
		}
	}
	return message
}

func eventTime(event corev1.Event) time.Time {
	if event.Series != nil && !event.Series.LastObservedTime.IsZero() {
		return event.Series.LastObservedTime.Time
	}
	for _, at := range []time.Time{event.LastTimestamp.Time, event.EventTime.Time} {
		if !at.IsZero() {
			return at
		}
	}
	return event.CreationTimestamp.Time
}
