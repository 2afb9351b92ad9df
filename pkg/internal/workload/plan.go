package workload

import (
	"context"
	"errors"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Plan is which workloads get which images.
type Plan struct {
	api     API
	options Options
	targets []*target
	// applied are the objects of manifests in their order, and cluster where they
	// are applied; nil where existing workloads are patched.
	applied []*applied
	cluster Cluster
	// namespaces are those of manifests that were looked for.
	namespaces map[string]bool
	// hooks are the objects of the manifests that are not applied.
	hooks []string
}

// target is one workload of a plan.
type target struct {
	Target

	// patch makes it right, nil when it is.
	patch *patch
	// replacing: it has to be deleted and made anew.
	replacing bool
}

// Prepare reads the workloads, one GET each, and checks that every image finds
// its containers and that no other consumer holds a workload. All mistakes are
// reported together. Nothing is changed.
func Prepare(ctx context.Context, api API, options Options, images []Image) (*Plan, error) {
	plan := &Plan{api: api, options: options}
	var mistakes []error
	for _, image := range images {
		switch corev1.PullPolicy(image.PullPolicy) {
		case "", corev1.PullNever, corev1.PullIfNotPresent:
		default:
			mistakes = append(mistakes,
				fmt.Errorf("%s: pull policy %q: the image is in no registry; Never and IfNotPresent work", image.Name,
					image.PullPolicy))
		}
		for _, text := range image.Workloads {
			ref, err := parseReference(text, options.Namespace)
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
			err = plan.workOut(ctx, t)
		}
		mistakes = append(mistakes, err)
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	if options.WaitOnly {
		// What is gone, or is to run something else, would be waited for in vain.
		plan.targets = slices.DeleteFunc(plan.targets, func(t *target) bool { return t.patch != nil || len(t.assigned) == 0 })
	}
	return plan, nil
}

// Targets are the workloads whose rollouts are to be waited for, as they are by now: none
// after a dry run.
func (p *Plan) Targets() []Target {
	if p.options.DryRun.dry() {
		return nil
	}
	targets := make([]Target, 0, len(p.targets))
	for _, t := range p.targets {
		targets = append(targets, t.Target)
	}
	return targets
}

// add gives a workload one more image; naming it twice, in two spellings, is once.
func (p *Plan) add(ref reference, image Image) {
	for _, t := range p.targets {
		if t.ref != ref {
			continue
		}
		if t.images[len(t.images)-1].Name != image.Name {
			t.images = append(t.images, image)
		}
		return
	}
	p.targets = append(p.targets, &target{Target: Target{ref: ref, images: []Image{image}}})
}

func (p *Plan) read(ctx context.Context, t *target) error {
	raw, err := clientFor(p.api, t.ref).get(ctx, t.ref.name, metav1.GetOptions{})
	if err != nil {
		return explainAPI("read "+t.ref.where(), err)
	}
	t.object, err = asObject(raw)
	return err
}

// workOut fills in what the workload needs, from how it was read.
func (p *Plan) workOut(ctx context.Context, t *target) error {
	assigned, err := assign(t.images, &t.object.template.Spec)
	switch {
	case err != nil && p.options.WaitOnly:
		// Status says what it has instead.
		return nil
	case err != nil:
		err = fmt.Errorf("%s: %w", t.ref.where(), err)
	}
	if owner := metav1.GetControllerOf(t.object.meta); owner != nil && t.ref.kind.madeByOthers() && !p.options.WaitOnly {
		return fmt.Errorf("%s belongs to %s %s, which makes it; deploy that instead", t.ref.where(), owner.Kind, owner.Name)
	}
	remark, markErr := p.checkMark(ctx, t)
	if err := errors.Join(err, markErr); err != nil {
		return err
	}
	t.assigned = assigned
	t.patch = buildPatch(t.object, assigned, p.options.Consumer, remark)
	if p.options.WaitOnly {
		return nil
	}
	if t.patch != nil && t.patch.Spec != nil && paused(t.object) {
		return fmt.Errorf("%s is paused: a change would never roll out, so nothing was changed\n"+
			"resume it with: kubectl rollout resume %s -n %s",
			t.ref.where(), t.ref.typed(), t.ref.namespace)
	}
	return p.decideReplacing(ctx, t)
}

// paused tells whether its controller ignores changes of the template.
func paused(o object) bool {
	d, ok := o.Object.(*appsv1.Deployment)
	return ok && d.Spec.Paused
}
