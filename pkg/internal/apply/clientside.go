package apply

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// clientSideManagers are the field managers that have applied an object client-side, as
// kubectl apply does: the annotation with what was applied last is theirs.
func clientSideManagers(live *unstructured.Unstructured) sets.Set[string] {
	managers := sets.New[string]()
	if live == nil {
		return managers
	}
	note := fieldpath.NewSet(fieldpath.MakePathOrDie("metadata", "annotations", corev1.LastAppliedConfigAnnotation))
	for _, owner := range csaupgrade.FindFieldsOwners(live.GetManagedFields(), metav1.ManagedFieldsOperationUpdate, note) {
		managers.Insert(owner.Manager)
	}
	return managers
}

// adoptClientSide makes ours what was applied client-side, as kubectl apply --server-side
// does: the manifests are in one hand. Fields that they no longer set then go, which
// two owners would keep; of Jobs and Pods they could not go.
func (p *Plan) adoptClientSide(ctx context.Context, a *appliedObject) error {
	if !a.adoptsClientSide() {
		return nil
	}
	ctx = a.object.unlogged(ctx)
	live, resource := a.live, p.cluster.resourceOf(a.object, a.mapping)
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		managers := clientSideManagers(live)
		if managers.Len() == 0 {
			return nil
		}
		patch, err := csaupgrade.UpgradeManagedFieldsPatch(live, managers, fieldManager)
		if err != nil || patch == nil {
			return err
		}
		_, err = resource.Patch(ctx, a.object.GetName(), types.JSONPatchType, patch,
			metav1.PatchOptions{FieldManager: fieldManager})
		if err == nil {
			return nil
		}
		// Its controller may write its status at any time.
		again, failed := resource.Get(ctx, a.object.GetName(), metav1.GetOptions{})
		if failed == nil {
			live = again
		}
		return err
	})
}

// adoptsClientSide tells whether there is something to make ours, which changes the
// object: the note of what was applied goes.
func (a *appliedObject) adoptsClientSide() bool {
	return (a.target == nil || !a.target.Ref.Kind.Replaceable()) && clientSideManagers(a.live).Len() > 0
}
