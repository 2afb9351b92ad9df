package rollout

import (
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
)

func aNode(name string, edit ...func(*corev1.Node)) *corev1.Node {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.NodeStatus{
		Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
		Allocatable: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2"), corev1.ResourceMemory: resource.MustParse("1Gi"), corev1.ResourcePods: resource.MustParse("110")},
	}}
	for _, change := range edit {
		change(node)
	}
	return node
}

func down(n *corev1.Node) {
	n.Status.Conditions[0] = corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionUnknown, Reason: "NodeStatusUnknown", Message: "Kubelet stopped posting node status."}
}

func TestAPodThatDoesNotStartIsExplained(t *testing.T) {
	t.Parallel()
	d := kubetest.Deployment(kubetest.NewImage, kubetest.Unavailable)
	set := kubetest.ReplicaSet(d, "new")
	creating := kubetest.Waits("ContainerCreating", "")
	warning := func(reason, message string) map[types.UID][]*corev1.Event {
		return map[types.UID][]*corev1.Event{"uid-new-1": {kubetest.Event(kubetest.Pod(set, "new-1", kubetest.NewImage), reason, message, time.Now())}}
	}
	nodes := map[string]*corev1.Node{"kind-worker": aNode("kind-worker")}
	unreachable := func(p *corev1.Pod) {
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse}}
	}
	for _, test := range []struct {
		name string
		pod  func(*corev1.Pod)
		view view
		// reason is "" for going on to wait, "?" for looking closer.
		reason string
	}{
		{"more is asked for once it lasts", creating, view{}, "?"},
		{"a volume that is not there", creating, view{diagnosed: true, nodes: nodes, warnings: warning("FailedMount", `configmap "x" not found`)}, "FailedMount"},
		{"a volume that takes long", creating, view{diagnosed: true, nodes: nodes, warnings: warning("FailedMount", "timed out waiting for the condition")}, ""},
		{"its node is not ready", creating, view{diagnosed: true, nodes: map[string]*corev1.Node{"kind-worker": aNode("kind-worker", down)}}, "NodeNotReady"},
		{"its node went while it ran", unreachable, view{diagnosed: true, nodes: map[string]*corev1.Node{"kind-worker": aNode("kind-worker", down)}}, "NodeNotReady"},
		{"nothing is known", creating, view{diagnosed: true, nodes: nodes}, ""},
		{"it runs and is not ready", kubetest.NotReady, view{}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.view.current = []*corev1.Pod{kubetest.Pod(set, "new-1", kubetest.NewImage, test.pod)}
			got, after := looks(t, d, true, test.view)
			switch {
			case got.needsDiagnostics && test.reason == "?":
			case got.needsDiagnostics || (got.failure == nil) != (test.reason == ""):
				t.Errorf("it is %+v after %s", got, after)
			case got.failure != nil && (got.failure.Reason != test.reason || after != lastingAfter):
				t.Errorf("after %s %s", after, got.failure.Reason)
			}
		})
	}
}

func TestEachNodeSaysWhyItDoesNotTakeAPod(t *testing.T) {
	t.Parallel()
	pod := kubetest.Pod(&metav1.ObjectMeta{}, "p", kubetest.NewImage, func(p *corev1.Pod) {
		p.Spec.NodeSelector = map[string]string{"disk": "ssd"}
		p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1500m")}
	})
	fits := func(n *corev1.Node) { n.Labels = map[string]string{"disk": "ssd"} }
	for want, node := range map[string]*corev1.Node{
		"": aNode("a", fits),
		"it is not selected by the pod's nodeSelector disk=ssd":                   aNode("b"),
		"it is not ready: NodeStatusUnknown Kubelet stopped posting node status.": aNode("c", fits, down),
		"it is cordoned; kubectl uncordon d":                                      aNode("d", fits, func(n *corev1.Node) { n.Spec.Unschedulable = true }),
		"its taint dedicated=gpu:NoSchedule is not tolerated": aNode("e", fits, func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: "dedicated", Value: "gpu", Effect: corev1.TaintEffectNoSchedule}}
		}),
		"it has 1 of its 2 cpu left, and 1500m is asked for":                                                       aNode("f", fits),
		"it is not selected by the pod's nodeSelector disk=ssd; it has 0 of its 110 pods left, and 1 is asked for": aNode("g"),
	} {
		taken := map[string]corev1.ResourceList{"f": {corev1.ResourceCPU: resource.MustParse("1")}, "g": {corev1.ResourcePods: resource.MustParse("110")}}
		if got := strings.Join(refusalsOf(node, pod, taken[node.Name]), "; "); got != want {
			t.Errorf("node %s: %q, want %q", node.Name, got, want)
		}
	}
}

// A kubelet under load reports one that was killed for want of memory as one that somebody
// killed.
func TestAContainerThatWasKilledIsToldItsLimit(t *testing.T) {
	t.Parallel()
	d := kubetest.Deployment(kubetest.NewImage, kubetest.Unavailable)
	for _, test := range []struct{ reason, limit, message, hint string }{
		{"OOMKilled", "16Mi", "(OOMKilled)", "it was killed at its memory limit of 16Mi; raise resources.limits.memory of container server"},
		{"Error", "16Mi", "(killed)", "it was killed (137), and it has a memory limit of 16Mi; if it needs more, raise resources.limits.memory of container server"},
		{"OOMKilled", "", "(OOMKilled)", "it was killed because its node has no memory left; kubectl describe node kind-worker"},
		{"Error", "", "(killed)", ""},
	} {
		pod := kubetest.Pod(kubetest.ReplicaSet(d, "new"), "new-1", kubetest.NewImage, kubetest.Crashes(4), killedBy(test.reason))
		if test.limit != "" {
			pod.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(test.limit)}
		}
		got, _ := looks(t, d, true, view{current: []*corev1.Pod{pod}})
		if got.failure == nil || got.failure.Message != "restarted 4 times, last exit code 137 "+test.message || got.failure.Hint != test.hint {
			t.Errorf("%+v", got.failure)
		}
	}
}

func TestTheLastAnswerToAProbeIsTold(t *testing.T) {
	t.Parallel()
	answer := func(message, container string, count int32) corev1.Event {
		event := *kubetest.Event(kubetest.Pod(&metav1.ObjectMeta{}, "p", kubetest.NewImage), "Unhealthy", message, time.Now())
		event.InvolvedObject.FieldPath, event.Count = "spec.containers{"+container+"}", count
		return event
	}
	events := []corev1.Event{answer("Readiness probe failed: connection refused", "server", 1), answer("Readiness probe failed: 503", "server", 8), answer("x", "other", 1)}
	if got := lastProbeFailure(events, "server"); got != "Readiness probe failed: 503 (8 times)" {
		t.Errorf("%q", got)
	}
	if got := lastProbeFailure(events, "none"); got != "" {
		t.Errorf("%q", got)
	}
}

func TestANodeIsDownOnceItHasBeenForAWhile(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	since := func(d time.Duration) func(*corev1.Node) {
		return func(n *corev1.Node) {
			down(n)
			n.Status.Conditions[0].LastTransitionTime = metav1.NewTime(now.Add(-d))
		}
	}
	if why, again := nodeDown(aNode("a", since(3*time.Second)), now); why != nil || again != 7*time.Second {
		t.Errorf("after 3 s it is %+v, looked at again after %s", why, again)
	}
	if why, _ := nodeDown(aNode("a", since(10*time.Second)), now); why == nil || why.reason != "NodeNotReady" {
		t.Errorf("after 10 s it is %+v", why)
	}
	network := aNode("a", since(time.Hour), func(n *corev1.Node) {
		n.Status.Conditions[0].Message = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized"
	})
	if why, again := nodeDown(network, now); why != nil || again != 0 {
		t.Errorf("without a network it is %+v", why)
	}
}

func TestWhatHasComeIsNotMissing(t *testing.T) {
	t.Parallel()
	pod := kubetest.Pod(&metav1.ObjectMeta{}, "p", kubetest.NewImage)
	rollouts := &Rollouts{api: fake.NewClientset(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "e2e", Name: "there"}})}
	for message, want := range map[string]bool{
		`MountVolume.SetUp failed for volume "s" : secret "there" not found`: false,
		`secret "there" not found`: false, `secret "absent" not found`: true, `configmap "there" not found`: true, "anything else": true,
	} {
		failed := &failure{FailedError: FailedError{Message: message}, problem: &problem{pod: pod}}
		if got := rollouts.stillMissing(t.Context(), failed); got != want {
			t.Errorf("%s: %t", message, got)
		}
	}
}

func TestOnlyAJobOfOnePodAtATimeIsGivenUp(t *testing.T) {
	t.Parallel()
	failed := func(j *batchv1.Job) *corev1.Pod {
		pod := kubetest.Pod(j, "migrate-1", kubetest.NewImage, kubetest.Crashes(0))
		pod.Status.Phase = corev1.PodFailed
		return pod
	}
	for name, test := range map[string]struct {
		edit func(*batchv1.Job)
		want string
	}{
		"four failures":  {func(j *batchv1.Job) { j.Status.Failed = 4 }, "PodsFailed"},
		"three failures": {func(j *batchv1.Job) { j.Status.Failed = 3 }, ""},
		"four failures of several at a time": {func(j *batchv1.Job) {
			j.Status.Failed, j.Spec.Completions, j.Spec.Parallelism = 4, new(int32(5)), new(int32(5))
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			job := kubetest.Job(kubetest.NewImage, test.edit)
			o, _ := kube.AsObject(job)
			before, _ := kube.AsObject(kubetest.Job(kubetest.NewImage))
			assigned, _ := kube.Assign([]kube.Image{kubetest.Datastorage()}, &o.Template.Spec)
			j := newJudge(&kube.Target{Images: []kube.Image{kubetest.Datastorage()}, Object: before, Assigned: assigned, Patched: true})
			got := j.evaluate(view{object: o, current: []*corev1.Pod{failed(job)}}, time.Unix(1000, 0))
			if (got.failure != nil) != (test.want != "") || got.failure != nil && got.failure.Reason != test.want {
				t.Errorf("%+v", got)
			}
		})
	}
}
