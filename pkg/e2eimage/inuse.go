package e2eimage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/workload"
)

// TagInUse is what could not start, or not start again, without a tag: a workload or
// pod, else a container of a node.
type TagInUse struct {
	Image string `json:"image"`
	// Workload as kubectl prints it, like deployment.apps/datastorage or
	// pod/storage-0, in Namespace. Note is how it is there without a pod, like
	// "0 replicas".
	Workload  string `json:"workload,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Note      string `json:"note,omitempty"`
	// Node and Pod, as NAMESPACE/NAME, of a container that no listed pod has.
	Node string `json:"node,omitempty"`
	Pod  string `json:"pod,omitempty"`
	// Unseen are kinds of workloads that may not be listed in Namespace: whether one
	// of them needs the tag is not known.
	Unseen []string `json:"unseen,omitempty"`
}

// String says what uses the tag.
func (t TagInUse) String() string {
	switch {
	case len(t.Unseen) > 0:
		return fmt.Sprintf("perhaps in use: %s may not be listed in namespace %s (docs/rbac.md)", strings.Join(t.Unseen, ", "), t.Namespace)
	case t.Workload == "":
		return fmt.Sprintf("in use by pod %s on %s", t.Pod, t.Node)
	case t.Note != "":
		return fmt.Sprintf("in use by %s (%s) in namespace %s", t.Workload, t.Note, t.Namespace)
	}
	return fmt.Sprintf("in use by %s in namespace %s", t.Workload, t.Namespace)
}

// InUseError says that Clean left what it was to take away. Exit code 3.
type InUseError struct {
	Left []TagInUse
	// mend is what to type afterwards.
	mend string
}

func (e *InUseError) Error() string {
	message := "not clean, records and all:"
	for _, left := range e.Left {
		message += fmt.Sprintf("\n  %s is left: %s", left.Image, left)
	}
	return fmt.Sprintf("%s\ndelete what uses it, then: %s; or give --force", message, e.mend)
}

// users know what uses tags.
type users struct {
	states    map[string]kindnode.State
	holders   *workload.Holders
	namespace string
}

// users asks the API what is to run; states say what runs, also where the API may not
// be asked.
func (c *Client) users(ctx context.Context, kube *kube, states map[string]kindnode.State) (*users, error) {
	holders, err := workload.ListHolders(ctx, kube, kube.namespace)
	if err != nil {
		return nil, err
	}
	if holders.OneNamespace {
		c.report.Info(fmt.Sprintf("what other namespaces than %s are to run may not be seen: of those, only what runs is in use", kube.namespace))
	}
	return &users{states: states, holders: holders, namespace: kube.namespace}, nil
}

// askUsers asks the nodes, too.
func (c *Client) askUsers(ctx context.Context, kube *kube, cluster *kindnode.Cluster) (*users, error) {
	states, err := cluster.ProbeUse(ctx)
	if err != nil {
		return nil, err
	}
	return c.users(ctx, kube, states)
}

// of finds what uses any of the tags.
func (u *users) of(tags ...string) []TagInUse {
	var using []TagInUse
	for _, tag := range tags {
		for _, holder := range u.holders.Of(tag) {
			using = append(using, TagInUse{Image: tag, Workload: holder.Name, Namespace: holder.Namespace, Note: holder.Note})
		}
		using = append(using, u.running(tag)...)
		if len(u.holders.Unseen) > 0 && !slices.ContainsFunc(using, func(t TagInUse) bool { return t.Image == tag }) {
			using = append(using, TagInUse{Image: tag, Namespace: u.namespace, Unseen: u.holders.Unseen})
		}
	}
	return using
}

// running finds containers of pods that the API did not list.
func (u *users) running(tag string) []TagInUse {
	var using []TagInUse
	for _, node := range sortedKeys(u.states) {
		for _, container := range u.states[node].Containers {
			if u.states[node].Needs(container, tag) && !u.holders.Knows(container.Namespace, container.Pod) {
				using = append(using, TagInUse{Image: tag, Node: node, Pod: container.Namespace + "/" + container.Pod})
			}
		}
	}
	return using
}

// ownedIn are the names on any node that carry an owner label.
func ownedIn(states map[string]kindnode.State, owner string) []string {
	found := map[string]bool{}
	for _, state := range states {
		for tag, other := range state.Owners {
			if other == owner {
				found[tag] = true
			}
		}
	}
	return sortedKeys(found)
}
