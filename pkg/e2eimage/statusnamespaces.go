package e2eimage

import (
	"slices"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// namespaces are those that are looked at: the one asked for, or all that have records
// or are named as owners of tags on nodes. These need not be there any more.
func (r *statusRun) namespaces() []string {
	if !r.in.AllNamespaces {
		return []string{r.kube.namespace}
	}
	found := map[string]bool{}
	for _, set := range r.sets {
		found[set.Namespace] = true
	}
	for owned := range r.states.Owners() {
		if namespace, _, _, ok := record.ParseOwner(owned.Owner); ok {
			found[namespace] = true
		}
	}
	return sortedKeys(found)
}

// within is the same run, for one namespace only. What was asked once serves all.
func (r *statusRun) within(namespace string) *statusRun {
	one, kube := *r, *r.kube
	kube.namespace = namespace
	one.kube = &kube
	one.sets = slices.DeleteFunc(slices.Clone(r.sets), func(set *record.Set) bool { return set.Namespace != namespace })
	return &one
}
