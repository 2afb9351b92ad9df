package workload

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// maxListed is how many workloads of a kind are listed.
const maxListed = 500

// Names lists the workloads of a namespace that can be deployed to, as KIND/NAME.
func Names(ctx context.Context, api API, namespace string) []string {
	var names []string
	for _, r := range listDeployable(ctx, api, namespace) {
		names = append(names, r.typed())
	}
	return names
}

// listDeployable lists the workloads of a namespace that can be deployed to. Kinds that
// may not be listed are left out: they only make an error or a completion poorer.
func listDeployable(ctx context.Context, api API, namespace string) []reference {
	var there []reference
	for _, k := range kinds() {
		listed, err := clientFor(api, reference{namespace: namespace, kind: k}).list(ctx,
			metav1.ListOptions{Limit: maxListed})
		if err != nil {
			continue
		}
		_ = meta.EachListItem(listed, func(raw runtime.Object) error {
			// What another workload makes is not deployed to.
			if accessor, err := meta.Accessor(raw); err == nil && metav1.GetControllerOfNoCopy(accessor) == nil {
				there = append(there, reference{namespace: namespace, kind: k, name: accessor.GetName()})
			}
			return nil
		})
	}
	return there
}
