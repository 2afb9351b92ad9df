package apply

import (
	"context"
	"maps"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// applyAll applies the manifests in their order.
func (p *Plan) applyAll(ctx context.Context, report progress.Reporter) ([]Change, error) {
	var changes []Change
	for _, a := range p.applied {
		if ctx.Err() != nil {
			return changes, context.Cause(ctx)
		}
		if err := p.applyOne(ctx, a, report); err != nil {
			return changes, err
		}
		changes = append(changes, a.change(p.options.DryRun))
		if err := p.waitServed(ctx, a); err != nil {
			return changes, err
		}
	}
	return changes, nil
}

func (p *Plan) applyOne(ctx context.Context, a *appliedObject, report progress.Reporter) error {
	if p.options.DryRun.dry() {
		return nil
	}
	if err := p.noteStaleContainers(ctx, a); err != nil {
		return err
	}
	var err error
	if a.immutable != "" {
		// What others of the manifests bring is there now.
		if err := p.dryRunCreate(ctx, a); err != nil {
			return err
		}
		err = p.recreate(ctx, a.target, report, func(ctx context.Context) error {
			a.result, err = p.serverSide(ctx, a, false)
			return err
		})
	} else {
		if err = p.adoptClientSide(ctx, a); err == nil {
			err = p.retryUntilServed(ctx, a, func(ctx context.Context) error {
				a.result, err = p.serverSide(ctx, a, false)
				return err
			})
		}
		err = a.explain("apply", err)
	}
	if err != nil {
		return err
	}
	if a.target == nil {
		return nil
	}
	before := a.target.Object.Template
	if a.target.Object, err = kube.Decode(a.result, a.target.Ref.Kind); err != nil {
		return err
	}
	// Pods are new only where their template is.
	a.target.Patched = a.live == nil || a.immutable != "" ||
		!equality.Semantic.DeepEqual(before.Spec, a.target.Object.Template.Spec) ||
		!maps.Equal(before.Annotations, a.target.Object.Template.Annotations) ||
		!maps.Equal(before.Labels, a.target.Object.Template.Labels)
	return nil
}

// waitServed waits until the API server answers for a kind that was applied.
func (p *Plan) waitServed(ctx context.Context, a *appliedObject) error {
	if p.options.DryRun.dry() || a.object.GroupVersionKind().GroupKind() != customResourceDefinition {
		return nil
	}
	return p.waitEstablished(ctx, a)
}

// noteStaleContainers notes which containers a Pod has right before it is changed: one
// that crashes gets new ones all the time.
func (p *Plan) noteStaleContainers(ctx context.Context, a *appliedObject) error {
	if a.target == nil || a.target.Ref.Kind != kube.Pod || a.live == nil || a.immutable != "" {
		return nil
	}
	wanted, err := kube.Decode(a.object.Unstructured, kube.Pod)
	if err != nil {
		return err
	}
	pod, err := p.api.CoreV1().Pods(a.target.Ref.Namespace).Get(ctx, a.target.Ref.Name, metav1.GetOptions{})
	if err != nil {
		return kube.ExplainAPI("read "+a.where(), err)
	}
	a.target.Stale = staleContainers(pod, &wanted.Template.Spec)
	return nil
}

// sameContent compares what users and manifests write.
func sameContent(a, b *unstructured.Unstructured) bool {
	content := func(u *unstructured.Unstructured) map[string]any {
		bare := u.DeepCopy()
		for _, field := range []string{"managedFields", "resourceVersion", "generation"} {
			unstructured.RemoveNestedField(bare.Object, "metadata", field)
		}
		unstructured.RemoveNestedField(bare.Object, "status")
		return bare.Object
	}
	return equality.Semantic.DeepEqual(content(a), content(b))
}

func (a *appliedObject) change(dry DryRun) Change {
	change := Change{Name: a.object.String(), Namespace: a.object.GetNamespace(), Action: a.action(dry)}
	if a.result != nil {
		change.Generation = a.result.GetGeneration()
	}
	return change
}

// action says what was done, or by a dry run would be.
func (a *appliedObject) action(dry DryRun) Action {
	switch {
	case a.immutable != "":
		return Replaced
	case a.live == nil:
		return Created
	case dry.dry() && a.adoptsClientSide():
		return Configured
	case dry != DryRunClient && a.result != nil && sameContent(a.live, a.result):
		return Unchanged
	}
	return Configured
}
