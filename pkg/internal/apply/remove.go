package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// Marked are the workloads of a namespace that carry a consumer's mark: those that it
// deployed last. Kinds that may not be listed are unseen.
func Marked(ctx context.Context, api kube.API, namespace, consumer string) (found []kube.Target, unseen []string,
	err error,
) {
	for _, kind := range kube.Kinds() {
		listed, err := kind.Client(api, namespace).List(ctx, metav1.ListOptions{})
		if denied(err) {
			unseen = append(unseen, kind.Plural())
			continue
		}
		if err != nil {
			return nil, nil, kube.ExplainAPI(fmt.Sprintf("list %s in namespace %s", kind.Plural(), namespace), err)
		}
		err = meta.EachListItem(listed, func(raw runtime.Object) error {
			o, err := kube.AsObject(raw)
			// What another workload makes goes with that.
			if err == nil && o.Meta.Annotations[kube.ConsumerAnnotation] == consumer &&
				metav1.GetControllerOfNoCopy(o.Meta) == nil {
				ref := kube.Reference{Namespace: namespace, Kind: kind, Name: o.Meta.Name}
				found = append(found, kube.Target{Ref: ref, Object: o})
			}
			return err
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return found, unseen, nil
}

// Remove deletes workloads with their pods, side by side, and returns when they are gone.
func Remove(ctx context.Context, api kube.API, workloads []kube.Target) error {
	plan := &Plan{api: api}
	var removing errgroup.Group
	for _, one := range workloads {
		removing.Go(func() error { return plan.deleteAndWait(ctx, &target{Target: one}, nil) })
	}
	return removing.Wait()
}

// RemoveApplied deletes an object, called as Change calls it, that we have applied: one that
// we created, else one that nobody but us and Kubernetes itself has written. It tells whether
// it did. Namespaces and definitions of kinds stay: others may have something in them.
func (c Cluster) RemoveApplied(ctx context.Context, name, namespace string, created bool) (bool, error) {
	typed, name, _ := strings.Cut(name, "/")
	resource := schema.ParseGroupResource(typed)
	kind, err := c.Mapper.KindFor(resource.WithVersion(""))
	if meta.IsNoMatchError(err) {
		return false, nil // gone with its definition
	}
	if err != nil {
		return false, kube.ExplainAPI("look for the kind "+typed, err)
	}
	if slices.Contains([]string{"Namespace", "CustomResourceDefinition"}, kind.Kind) {
		return false, nil
	}
	mapping, err := c.Mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return false, kube.ExplainAPI("look for the kind "+typed, err)
	}
	var objects dynamic.ResourceInterface = c.Dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		objects = c.Dynamic.Resource(mapping.Resource).Namespace(namespace)
	}
	live, err := objects.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, kube.ExplainAPI(fmt.Sprintf("read %s/%s", typed, name), err)
	}
	if !ours(live.GetManagedFields(), created) {
		return false, nil
	}
	uid := live.GetUID()
	err = objects.Delete(ctx, name, metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: new(metav1.DeletePropagationBackground),
	})
	if err != nil && !apierrors.IsNotFound(err) {
		return false, kube.ExplainAPI(fmt.Sprintf("delete %s/%s", typed, name), err)
	}
	return err == nil, nil
}

// ours tells by its field managers whether an object is ours to delete.
func ours(managed []metav1.ManagedFieldsEntry, created bool) bool {
	applied := false
	for _, entry := range managed {
		switch {
		case entry.Manager == fieldManager:
			applied = true
		case created, entry.Subresource != "":
		case entry.Manager == "kubelet", strings.HasPrefix(entry.Manager, "kube-"):
		default:
			return false
		}
	}
	return applied
}
