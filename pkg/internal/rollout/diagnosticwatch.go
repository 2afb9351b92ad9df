package rollout

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// diagnosticWatch is what is watched beside workload and pods once something does not go on
// and neither says why: the workload's events, the pods' warnings, the nodes.
type diagnosticWatch struct {
	events, warnings, nodes cache.SharedIndexInformer
}

// startDiagnostics begins to watch, and returns once all is seen; what may not be seen is
// done without.
func (w *watcher) startDiagnostics(ctx context.Context) {
	of := w.target.Ref.Namespace
	events := kube.NewClient(w.api.CoreV1().Events(of), &corev1.Event{})
	ofWorkload := fields.OneTermEqualSelector("involvedObject.uid", string(w.target.Object.Meta.UID)).String()
	ofPods := fields.AndSelectors(fields.OneTermEqualSelector("involvedObject.kind", "Pod"),
		fields.OneTermEqualSelector("type", corev1.EventTypeWarning)).String()
	var seen diagnosticWatch
	var synced []cache.DoneChecker
	for _, one := range []struct {
		informer *cache.SharedIndexInformer
		client   kube.Client
		selector string
	}{
		{&seen.events, events, ofWorkload},
		{&seen.warnings, events, ofPods},
		{&seen.nodes, kube.NewClient(w.api.CoreV1().Nodes(), &corev1.Node{}), ""},
	} {
		watching, cancel := context.WithCancelCause(ctx)
		giveUp := func(err error) {
			cancel(err)
			// It is done without.
			w.note(nil)
		}
		selected := func(o *metav1.ListOptions) { o.FieldSelector = one.selector }
		*one.informer = w.startInformer(watching, giveUp, one.client, selected)
		synced = append(synced, syncedOrEnded{(*one.informer).HasSyncedChecker(), watching})
	}
	cache.WaitFor(ctx, "", synced...)
	w.diagnostics = &seen
}

// syncedOrEnded is done when what is watched is seen, or will never be.
type syncedOrEnded struct {
	cache.DoneChecker
	ctx context.Context
}

// Done implements cache.DoneChecker.
func (e syncedOrEnded) Done() <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-e.DoneChecker.Done():
		case <-e.ctx.Done():
		}
	}()
	return done
}

// fill fills in what was seen.
func (c *diagnosticWatch) fill(v *view) {
	v.diagnosed = true
	v.warnings, v.nodes = map[types.UID][]*corev1.Event{}, map[string]*corev1.Node{}
	for _, event := range items[*corev1.Event](c.events) {
		if event.InvolvedObject.UID == v.object.Meta.UID {
			v.events = append(v.events, event)
		}
	}
	for _, event := range items[*corev1.Event](c.warnings) {
		v.warnings[event.InvolvedObject.UID] = append(v.warnings[event.InvolvedObject.UID], event)
	}
	for _, node := range items[*corev1.Node](c.nodes) {
		v.nodes[node.Name] = node
	}
}

// stalled is a pod that has a node, on which nothing of it was started. Its own
// status does not say why.
func stalled(pod *corev1.Pod) *problem {
	if pod.Spec.NodeName == "" || podReady(pod) || kube.HasEnded(pod) {
		return nil
	}
	begun, ready := false, len(pod.Status.ContainerStatuses) > 0
	for _, status := range kube.ContainerStatuses(pod) {
		begun = begun || status.State.Running != nil || status.State.Terminated != nil || status.RestartCount > 0
		ready = ready && (status.Ready || status.State.Terminated != nil)
	}
	// All ready without being so itself is what becomes of a pod whose node is gone.
	if begun && !ready {
		return nil
	}
	return &problem{pod: pod, class: classStalled, reason: "NotStarted"}
}

// stalledCause is why a pod is stalled, nil while nothing is known that would stay so; again
// is when that may be known.
func stalledCause(pod *corev1.Pod, v view, now time.Time) (why *problem, again time.Duration) {
	if node := v.nodes[pod.Spec.NodeName]; node != nil {
		if why, again := nodeDown(node, now); why != nil || again > 0 {
			return why, again
		}
	}
	var last *corev1.Event
	for _, event := range v.warnings[pod.UID] {
		if event.Reason == "FailedCreatePodSandBox" && strings.Contains(event.Message, "OOM-killed") {
			return &problem{
				reason: "OOMKilled", message: event.Message,
				hint: "its memory limits are too low even to begin; raise resources.limits.memory",
			}, 0
		}
		if event.Reason == "FailedMount" && (last == nil || eventTime(*last).Before(eventTime(*event))) {
			last = event
		}
	}
	// Time-outs of mounts and drivers that are still coming up pass.
	if last == nil || !missingObject.MatchString(last.Message) &&
		!strings.Contains(last.Message, "references non-existent") {
		return nil, 0
	}
	return &problem{reason: last.Reason, message: last.Message}, 0
}

// nodeDown is a node that has not been ready for a while. One whose network comes up,
// perhaps with what is deployed, is waited for.
func nodeDown(node *corev1.Node, now time.Time) (why *problem, again time.Duration) {
	text := notReadyNode(node)
	if text == "" || strings.Contains(text, "NetworkPluginNotReady") ||
		strings.Contains(text, "cni plugin not initialized") {
		return nil, 0
	}
	for _, condition := range node.Status.Conditions {
		if left := lastingAfter - now.Sub(condition.LastTransitionTime.Time); condition.Type == corev1.NodeReady && left > 0 {
			return nil, left
		}
	}
	return &problem{
		reason: "NodeNotReady", message: fmt.Sprintf("node %s of the pod: %s", node.Name, text),
		hint: "look at the node: kubectl describe node " + node.Name,
	}, 0
}

// missingObject is how the kubelet says that what a pod refers to is not there.
var missingObject = regexp.MustCompile(`\b(configmap|secret) "([^"]+)" not found`)

// stillMissing tells whether what a failure says is missing still is. The kubelet says so
// until it tries again, which may be a while after it came.
func (r *Rollouts) stillMissing(ctx context.Context, failed *failure) bool {
	match := missingObject.FindStringSubmatch(failed.Message)
	if match == nil || failed.problem == nil || failed.problem.pod == nil {
		return true
	}
	var err error
	namespace, name := failed.problem.pod.Namespace, match[2]
	if match[1] == "secret" {
		// Its body is nothing for the log.
		_, err = r.api.CoreV1().Secrets(namespace).Get(klog.NewContext(ctx, klog.Logger{}), name, metav1.GetOptions{})
	} else {
		_, err = r.api.CoreV1().ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
	}
	return err != nil
}
