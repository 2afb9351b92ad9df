package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/outlive"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// fieldManager is the name under which workloads are patched.
const fieldManager = "kubectl-e2eimage"

// writeGrace is how long a write goes on that was begun before the run was stopped:
// what the run has changed can then be said.
const writeGrace = 10 * time.Second

// Apply applies the manifests, or patches the workloads that are not right yet. The
// change of somebody who was faster is kept: the patch is worked out anew.
func (p *Plan) Apply(ctx context.Context, report progress.Reporter) ([]Change, error) {
	if p.applied != nil {
		return p.applyAll(ctx, report)
	}
	var changes []Change
	var failures []error
	for _, t := range p.targets {
		if ctx.Err() != nil {
			return changes, errors.Join(append(failures, context.Cause(ctx))...)
		}
		if err := p.apply(ctx, t, report); err != nil {
			failures = append(failures, err)
			continue
		}
		changes = append(changes, t.change())
	}
	return changes, errors.Join(failures...)
}

func (p *Plan) apply(ctx context.Context, t *target, report progress.Reporter) error {
	first := true
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		if !first {
			if err := p.read(ctx, t); err != nil {
				return err
			}
			if err := p.planPatch(ctx, t); err != nil {
				return err
			}
		}
		first = false
		return p.send(ctx, t, report)
	})
	if apierrors.IsConflict(err) {
		return fmt.Errorf("patch %s: somebody else keeps changing it: %w", t.Ref.Where(), err)
	}
	return err
}

// send sends the patch, if there is one.
func (p *Plan) send(ctx context.Context, t *target, report progress.Reporter) error {
	switch {
	case t.patch == nil && !t.replacing || p.options.DryRun == DryRunClient:
		return nil
	case t.replacing:
		return p.replace(ctx, t, report)
	}
	body, err := t.patch.Marshal(t.Ref.Kind)
	if err != nil {
		return err
	}
	options := metav1.PatchOptions{FieldManager: fieldManager}
	if p.options.DryRun == DryRunServer {
		options.DryRun = []string{metav1.DryRunAll}
	}
	was := t.Object
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	ctx, done := outlive.WithGracePeriod(ctx, writeGrace)
	defer done()
	raw, err := t.Ref.Client(p.api).Patch(ctx, t.Ref.Name, body, options)
	switch {
	case apierrors.IsConflict(err):
		return err
	case err != nil:
		return kube.ExplainAPI("patch "+t.Ref.Where(), err)
	}
	t.Patched = t.patch.Spec != nil
	if t.Object, err = kube.AsObject(raw); err != nil {
		return err
	}
	if pod, ok := was.Object.(*corev1.Pod); ok {
		t.Stale = staleContainers(pod, &t.Object.Template.Spec)
	}
	return nil
}

func (t *target) change() Change {
	return Change{
		Name: t.Ref.String(), Namespace: t.Ref.Namespace, Action: t.action(), Generation: t.Object.Meta.Generation,
	}
}

func (t *target) action() Action {
	switch {
	case t.replacing:
		return Replaced
	case t.patch != nil && t.patch.Spec != nil:
		return ImageUpdated
	case t.patch != nil:
		// Only the mark of the consumer.
		return Configured
	}
	return Unchanged
}

// staleContainers are the IDs of a Pod's containers that get another image.
func staleContainers(pod *corev1.Pod, wanted *corev1.PodSpec) map[string]bool {
	stale, has, wants := map[string]bool{}, kube.ImagesOf(&pod.Spec), kube.ImagesOf(wanted)
	for name, id := range kube.ContainerIDs(pod) {
		if id != "" && has[name] != wants[name] {
			stale[id] = true
		}
	}
	return stale
}
