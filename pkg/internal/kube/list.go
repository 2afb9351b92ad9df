package kube

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
	for _, r := range List(ctx, api, namespace) {
		names = append(names, r.Typed())
	}
	return names
}

// List returns the workloads of a namespace that can be deployed to. Kinds that
// may not be listed are left out: they only make an error or a completion poorer.
func List(ctx context.Context, api API, namespace string) []Reference {
	var there []Reference
	for _, k := range Kinds() {
		listed, err := k.Client(api, namespace).List(ctx,
			metav1.ListOptions{Limit: maxListed})
		if err != nil {
			continue
		}
		_ = meta.EachListItem(listed, func(raw runtime.Object) error {
			// What another workload makes is not deployed to.
			if accessor, err := meta.Accessor(raw); err == nil && metav1.GetControllerOfNoCopy(accessor) == nil {
				there = append(there, Reference{Namespace: namespace, Kind: k, Name: accessor.GetName()})
			}
			return nil
		})
	}
	return there
}
