package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// Plan is which workloads get which images.
type Plan struct {
	api     kube.API
	options Options
	targets []*target
	// applied are the objects of manifests in their order, and cluster where they
	// are applied; nil where existing workloads are patched.
	applied []*appliedObject
	cluster Cluster
	// namespaces are those of manifests that were looked for.
	namespaces map[string]bool
	// hooks are the objects of the manifests that are not applied.
	hooks []string
}

// target is one workload of a plan.
type target struct {
	kube.Target

	// patch makes it right, nil when it is.
	patch *kube.Patch
	// replacing: it has to be deleted and made anew.
	replacing bool
}

// Prepare reads the workloads, one GET each, and checks that every image finds
// its containers and that no other consumer holds a workload. All mistakes are
// reported together. Nothing is changed.
func Prepare(ctx context.Context, api kube.API, options Options, images []kube.Image) (*Plan, error) {
	plan := &Plan{api: api, options: options}
	var mistakes []error
	for _, image := range images {
		switch policy := corev1.PullPolicy(image.PullPolicy); {
		case image.Pulled && policy == corev1.PullNever:
			mistakes = append(mistakes, fmt.Errorf("%s: pull policy Never: the image is in a registry, and nodes have to pull "+
				"it; leave the policy out", image.Name))
		case policy == "", policy == corev1.PullNever, policy == corev1.PullIfNotPresent:
		default:
			mistakes = append(mistakes,
				fmt.Errorf("%s: pull policy %q: the image is in no registry; Never and IfNotPresent work", image.Name,
					image.PullPolicy))
		}
		for _, text := range image.Workloads {
			ref, err := kube.ParseReference(text, options.Namespace)
			if err != nil {
				mistakes = append(mistakes, fmt.Errorf("%s: %w", image.Name, err))
				continue
			}
			plan.add(ref, image)
		}
	}
	there := &inventory{api: api}
	for _, t := range plan.targets {
		err := plan.read(ctx, t)
		switch {
		case apierrors.IsNotFound(err) && options.WaitOnly:
			err = nil
		case apierrors.IsNotFound(err):
			err = there.absent(ctx, t)
		case err == nil:
			err = plan.planPatch(ctx, t)
		}
		mistakes = append(mistakes, err)
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	if options.WaitOnly {
		// What is gone, or is to run something else, would be waited for in vain.
		plan.targets = slices.DeleteFunc(plan.targets, func(t *target) bool { return t.patch != nil || len(t.Assigned) == 0 })
	}
	return plan, nil
}

// Targets are the workloads whose rollouts are to be waited for, as they are by now: none
// after a dry run.
func (p *Plan) Targets() []kube.Target {
	if p.options.DryRun.dry() {
		return nil
	}
	targets := make([]kube.Target, 0, len(p.targets))
	for _, t := range p.targets {
		targets = append(targets, t.Target)
	}
	return targets
}

// add gives a workload one more image; naming it twice, in two spellings, is once.
func (p *Plan) add(ref kube.Reference, image kube.Image) {
	for _, t := range p.targets {
		if t.Ref != ref {
			continue
		}
		if t.Images[len(t.Images)-1].Name != image.Name {
			t.Images = append(t.Images, image)
		}
		return
	}
	p.targets = append(p.targets, &target{Target: kube.Target{Ref: ref, Images: []kube.Image{image}}})
}

func (p *Plan) read(ctx context.Context, t *target) error {
	raw, err := t.Ref.Client(p.api).Get(ctx, t.Ref.Name, metav1.GetOptions{})
	if err != nil {
		return kube.ExplainAPI("read "+t.Ref.Where(), err)
	}
	t.Object, err = kube.AsObject(raw)
	return err
}

// planPatch fills in what the workload needs, from how it was read.
func (p *Plan) planPatch(ctx context.Context, t *target) error {
	assigned, err := kube.Assign(t.Images, &t.Object.Template.Spec)
	switch {
	case err != nil && p.options.WaitOnly:
		// Status says what it has instead.
		return nil
	case err != nil:
		err = fmt.Errorf("%s: %w", t.Ref.Where(), err)
	}
	if owner := metav1.GetControllerOf(t.Object.Meta); owner != nil && t.Ref.Kind.MadeByOthers() && !p.options.WaitOnly {
		return fmt.Errorf("%s belongs to %s %s, which makes it; deploy that instead", t.Ref.Where(), owner.Kind, owner.Name)
	}
	replaceMark, markErr := p.checkMark(ctx, t)
	if err := errors.Join(err, markErr); err != nil {
		return err
	}
	t.Assigned = assigned
	t.patch = kube.NewPatch(t.Object, assigned, p.options.Consumer, replaceMark)
	if p.options.WaitOnly {
		return nil
	}
	if t.patch != nil && t.patch.Spec != nil && paused(t.Object) {
		return fmt.Errorf("%s is paused: a change would never roll out, so nothing was changed\n"+
			"resume it with: kubectl rollout resume %s -n %s",
			t.Ref.Where(), t.Ref.Typed(), t.Ref.Namespace)
	}
	return p.decideReplacing(ctx, t)
}

// paused tells whether its controller ignores changes of the template.
func paused(o kube.Object) bool {
	d, ok := o.Object.(*appsv1.Deployment)
	return ok && d.Spec.Paused
}
