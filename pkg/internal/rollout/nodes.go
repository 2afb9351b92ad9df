package rollout

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/resource"
	scheduling "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"

	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// maxNodes is how many nodes are explained one by one.
const maxNodes = 10

// nodeRefusals says for each node why it does not take the pod: the scheduler only says
// how many do not for which reason. Without leave to see nodes it says nothing.
func (r *Rollouts) nodeRefusals(ctx context.Context, pod *corev1.Pod) []string {
	nodes, err := r.api.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil
	}
	taken := r.requestsByNode(ctx)
	slices.SortFunc(nodes.Items, func(a, b corev1.Node) int { return strings.Compare(a.Name, b.Name) })
	var lines []string
	for i := range nodes.Items {
		if i == maxNodes {
			lines = append(lines, "and "+progress.Counted(len(nodes.Items)-maxNodes, "more node"))
			break
		}
		node := &nodes.Items[i]
		why := strings.Join(refusalsOf(node, pod, taken[node.Name]), "; ")
		switch {
		case why != "":
		case taken == nil:
			why = "its state, taints and labels give no reason; to see its free room, you need the right to list all pods"
		default:
			why = "its state, taints, labels and free room give no reason"
		}
		lines = append(lines, node.Name+": "+why)
	}
	return lines
}

// requestsByNode is what the pods of each node ask for; nil if they may not be seen.
func (r *Rollouts) requestsByNode(ctx context.Context) map[string]corev1.ResourceList {
	pods, err := r.api.CoreV1().Pods(metav1.NamespaceAll).List(ctx,
		metav1.ListOptions{FieldSelector: "status.phase!=Succeeded,status.phase!=Failed"})
	if err != nil {
		return nil
	}
	taken := map[string]corev1.ResourceList{}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if pod.Spec.NodeName == "" {
			continue
		}
		sum := taken[pod.Spec.NodeName]
		if sum == nil {
			sum = corev1.ResourceList{}
			taken[pod.Spec.NodeName] = sum
		}
		for name, quantity := range requestsOf(pod) {
			total := sum[name]
			total.Add(quantity)
			sum[name] = total
		}
	}
	return taken
}

func requestsOf(pod *corev1.Pod) corev1.ResourceList {
	requests := resource.PodRequests(pod, resource.PodResourcesOptions{})
	requests[corev1.ResourcePods] = apiresource.MustParse("1")
	return requests
}

// refusalsOf are the reasons of one node, of which taken is given away.
func refusalsOf(node *corev1.Node, pod *corev1.Pod, taken corev1.ResourceList) []string {
	var reasons []string
	if why := notReadyNode(node); why != "" {
		reasons = append(reasons, why)
	}
	if node.Spec.Unschedulable {
		reasons = append(reasons, "it is cordoned; kubectl uncordon "+node.Name)
	}
	harmful := func(taint *corev1.Taint) bool {
		told := []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable, corev1.TaintNodeUnschedulable}
		return taint.Effect != corev1.TaintEffectPreferNoSchedule && !slices.Contains(told, taint.Key)
	}
	if taint, found := scheduling.FindMatchingUntoleratedTaint(klog.Background(), node.Spec.Taints, pod.Spec.Tolerations,
		harmful, false); found {
		reasons = append(reasons, fmt.Sprintf("its taint %s is not tolerated", taint.ToString()))
	}
	if matches, err := nodeaffinity.GetRequiredNodeAffinity(pod).Match(node); err == nil && !matches {
		reasons = append(reasons, "it is not selected by "+nodeSelection(pod))
	}
	requests := requestsOf(pod)
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		free := node.Status.Allocatable[name].DeepCopy()
		free.Sub(taken[name])
		if wanted := requests[name]; wanted.Cmp(free) > 0 {
			reasons = append(reasons, fmt.Sprintf("it has %s of its %s %s left, and %s is asked for",
				readableQuantity(free, name), readableQuantity(node.Status.Allocatable[name], name), name,
				readableQuantity(wanted, name)))
		}
	}
	return reasons
}

// readableQuantity is a quantity for people: memory comes in bytes or kilobytes.
func readableQuantity(quantity apiresource.Quantity, name corev1.ResourceName) string {
	if name == corev1.ResourceMemory || name == corev1.ResourceEphemeralStorage {
		return progress.Bytes(quantity.Value())
	}
	return quantity.String()
}

// nodeSelection is how a pod chooses nodes, in a few words.
func nodeSelection(pod *corev1.Pod) string {
	var terms []string
	for _, key := range slices.Sorted(maps.Keys(pod.Spec.NodeSelector)) {
		terms = append(terms, key+"="+pod.Spec.NodeSelector[key])
	}
	if len(terms) == 0 {
		return "the pod's node affinity"
	}
	return "the pod's nodeSelector " + strings.Join(terms, ",")
}

// notReadyNode says why a node is not ready, "" when it is.
func notReadyNode(node *corev1.Node) string {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady && condition.Status != corev1.ConditionTrue {
			return strings.TrimSuffix("it is not ready: "+condition.Reason+" "+condition.Message, " ")
		}
	}
	return ""
}
