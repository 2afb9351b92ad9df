package e2eimage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/rollout"
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
	if len(t.Unseen) > 0 {
		return fmt.Sprintf("perhaps in use: %s may not be listed in namespace %s (docs/rbac.md)",
			strings.Join(t.Unseen, ", "), t.Namespace)
	}
	return "in use by " + t.user()
}

func (t TagInUse) user() string {
	switch {
	case t.Workload == "":
		return fmt.Sprintf("pod %s on %s", t.Pod, t.Node)
	case t.Note != "":
		return fmt.Sprintf("%s (%s) in namespace %s", t.Workload, t.Note, t.Namespace)
	}
	return fmt.Sprintf("%s in namespace %s", t.Workload, t.Namespace)
}

// manyUsers is from where on only the first users of a tag are listed.
const manyUsers = 3

// DescribeLeft says what was left, or would be after a dry run, in one line for each tag:
// with all that uses it, or with how many those are and the first few.
func DescribeLeft(all []TagInUse, dryRun bool) []string {
	verb := "is left"
	if dryRun {
		verb = "would be left"
	}
	var tags []string
	using := map[string][]TagInUse{}
	for _, left := range all {
		if using[left.Image] == nil {
			tags = append(tags, left.Image)
		}
		using[left.Image] = append(using[left.Image], left)
	}
	var lines []string
	for _, tag := range tags {
		users := using[tag]
		words := users[0].String()
		if len(users) > 1 {
			var first []string
			for _, left := range users[:min(manyUsers, len(users))] {
				first = append(first, left.user())
			}
			words = fmt.Sprintf("in use by %d: %s", len(users), strings.Join(first, "; "))
		}
		if more := len(users) - manyUsers; more > 0 {
			words += fmt.Sprintf("; and %d more", more)
		}
		lines = append(lines, fmt.Sprintf("%s %s: %s", tag, verb, words))
	}
	return lines
}

// InUseError says that Clean left what it was to take away, or would. Exit code 3.
type InUseError struct {
	Left   []TagInUse
	DryRun bool
	// mend is what to type afterwards.
	mend string
}

func (e *InUseError) Error() string {
	first := "not everything was removed; what is in use keeps its record"
	if e.DryRun {
		first = "not everything would be removed; what is in use would keep its record"
	}
	return fmt.Sprintf("%s:\n  %s\ndelete what uses it, then: %s; or give --force",
		first, strings.Join(DescribeLeft(e.Left, e.DryRun), "\n  "), e.mend)
}

// users know what uses tags.
type users struct {
	states    kindnode.States
	holders   *rollout.Holders
	namespace string
}

// users asks the API what is to run; states say what runs, also where the API may not
// be asked.
func (c *Client) users(ctx context.Context, kube *apiServer, states kindnode.States) (*users, error) {
	holders, err := rollout.ListHolders(ctx, kube, kube.namespace)
	if err != nil {
		return nil, err
	}
	if holders.OneNamespace {
		c.report.Info(fmt.Sprintf("you may not list the workloads outside namespace %s: there, only images of running "+
			"containers count as in use", kube.namespace))
	}
	return &users{states: states, holders: holders, namespace: kube.namespace}, nil
}

// askUsers asks the nodes, too.
func (c *Client) askUsers(ctx context.Context, kube *apiServer, store imageStore) (*users, error) {
	states, err := store.ProbeUse(ctx)
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
	for node, container := range u.states.UsedBy(tag) {
		if !u.holders.Knows(container.Namespace, container.Pod) {
			using = append(using, TagInUse{Image: tag, Node: node, Pod: container.Namespace + "/" + container.Pod})
		}
	}
	return using
}
