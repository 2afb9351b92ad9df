package rollout

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

const (
	// wholeLogLines and wholeLogBytes are what is kept of a log, from its end.
	wholeLogLines = 5000
	wholeLogBytes = 256 << 10
	// wholeLogRead bounds what is read of it.
	wholeLogRead = 32 << 20
)

// ContainerLog is the end of a container's log, or of that of the one before it. Nothing is
// masked. It is "" where nothing was written.
func ContainerLog(ctx context.Context, api kube.API, pod *corev1.Pod, container string, previous bool) (string, error) {
	last := int64(wholeLogLines)
	stream, err := api.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{
		Container: container, Previous: previous, TailLines: &last,
	}).Stream(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = stream.Close() }()
	end := &ending{limit: wholeLogBytes}
	_, err = io.Copy(end, io.LimitReader(stream, wholeLogRead))
	text := end.lines()
	if slices.ContainsFunc(noLog, func(begin string) bool { return strings.HasPrefix(text, begin) }) {
		return "", errNoLog
	}
	if err != nil && ctx.Err() != nil {
		err = errors.Join(context.Cause(ctx), err)
	}
	return text, err
}

// ending keeps the end of what is written to it.
type ending struct {
	limit int
	kept  []byte
	cut   bool
}

// Write implements io.Writer.
func (e *ending) Write(p []byte) (int, error) {
	e.kept = append(e.kept, p...)
	if len(e.kept) > 2*e.limit {
		e.kept, e.cut = append(e.kept[:0], e.kept[len(e.kept)-e.limit:]...), true
	}
	return len(p), nil
}

// lines are whole ones: half a secret looks like none.
func (e *ending) lines() string {
	kept, cut := e.kept, e.cut
	if over := len(kept) - e.limit; over > 0 {
		kept, cut = kept[over:], true
	}
	if cut {
		_, kept, _ = bytes.Cut(kept, []byte("\n"))
	}
	return string(kept)
}
