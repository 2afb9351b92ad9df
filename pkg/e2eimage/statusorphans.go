package e2eimage

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// orphans are tags on nodes that carry the label of a record that is gone, or that
// does not know them any more.
func (r *statusRun) orphans() []ImageStatus {
	known, unread := map[string]bool{}, map[string]bool{}
	for _, set := range r.sets {
		for _, name := range set.Names() {
			evidence, err := set.Entry(name)
			if err != nil {
				// It is told as such; its tags may be right.
				unread[record.Owner(set.Namespace, set.Consumer, name)] = true
				continue
			}
			for _, tag := range evidence.Tags() {
				known[tag] = true
			}
		}
	}
	for _, image := range r.locked() {
		// Built and loaded, and about to be tagged.
		known[image] = true
	}
	on := map[string][]string{}
	owners := map[string]string{}
	for owned := range r.states.Owners() {
		if tag := owned.Name; !known[tag] && !unread[owned.Owner] {
			on[tag], owners[tag] = append(on[tag], owned.Node), owned.Owner
		}
	}
	var found []ImageStatus
	for _, tag := range sortedKeys(on) {
		namespace, consumer, name, _ := record.ParseOwner(owners[tag])
		if namespace != r.kube.namespace || !r.wanted(name) || r.in.Suite.Consumer != "" && consumer != r.in.Suite.Consumer {
			continue
		}
		found = append(found, ImageStatus{
			Name: name, Consumer: consumer, Image: tag, NodesWith: on[tag], Workloads: []WorkloadStatus{}, State: StateOrphaned,
			Problems: []Problem{r.orphaned(tag, on[tag], consumer)},
		})
	}
	return found
}

// orphaned says what is known of such a tag, and what takes it away just now.
func (r *statusRun) orphaned(tag string, on []string, consumer string) Problem {
	var given time.Time
	for _, node := range on {
		if since := r.states[node].OwnedSince[tag]; since.After(given) {
			given = since
		}
	}
	problem := Problem{
		State: StateOrphaned, Text: tag + " is on " + strings.Join(on, ", ") + ", but no record has it",
		mend: typedAt("clean", "--orphans", r.kube.namespace, consumer, r.in.Suite),
	}
	if time.Since(given) < orphanGrace {
		problem.Text += fmt.Sprintf("; it was given %s, and a run of load or tag is under way, or was killed",
			ago(&metav1.Time{Time: given}))
		problem.mend += " --older-than 1s"
	}
	return problem
}

// uses tells whether a workload or container uses a tag.
func (r *statusRun) uses(tag string) bool {
	for _, used := range r.used {
		for _, container := range slices.Concat(used.Template.Spec.InitContainers, used.Template.Spec.Containers) {
			if container.Image == tag {
				return true
			}
		}
	}
	for range r.states.UsedBy(tag) {
		return true
	}
	return false
}
