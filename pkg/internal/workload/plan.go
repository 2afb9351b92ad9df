package workload

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
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

// target is one workload with the images that it gets.
type target struct {
	ref    reference
	images []Image
	// otherwise says how long is waited where it has no image.
	otherwise Image
	object    object
	// assigned and patch follow from object; patch is nil when it is right.
	assigned []assignment
	patch    *patch
	// replacing: it has to be deleted and made anew.
	replacing bool
	// patched: Apply has changed it, so its pods are new.
	patched bool
	// past are the IDs of containers that do not count although their pod is ready:
	// those of a Pod's images of before, and those that had ended when their node was
	// asked.
	past map[string]bool
	// waited: Wait has seen it rolled out, and running is what it found.
	waited  bool
	running []Running
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

// Empty tells whether there is no workload.
func (p *Plan) Empty() bool { return len(p.targets) == 0 }

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
	p.targets = append(p.targets, &target{ref: ref, images: []Image{image}})
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

// checkMark tells whether the workload carries another consumer's mark that has
// to be replaced; that of a consumer who is alive is an error unless taken over.
func (p *Plan) checkMark(ctx context.Context, t *target) (remark bool, err error) {
	mark := t.object.meta.Annotations[ConsumerAnnotation]
	if mark == "" || mark == p.options.Consumer {
		return false, nil
	}
	if p.options.TakeOver {
		return true, nil
	}
	alive, err := p.alive(ctx, t.ref.namespace, mark)
	if err != nil {
		return false, fmt.Errorf("%s is deployed by consumer %q; whether that still has records: %w", t.ref.where(), mark,
			err)
	}
	if alive {
		return false, &ClaimedError{
			Workload: t.ref.String(), Namespace: t.ref.namespace, Consumer: mark,
			Ours: p.options.Consumer,
		}
	}
	return true, nil
}

// alive looks for records where ours are, and beside the workload.
func (p *Plan) alive(ctx context.Context, namespace, consumer string) (bool, error) {
	if p.options.Alive == nil {
		return true, nil
	}
	alive, err := p.options.Alive(ctx, p.options.Namespace, consumer)
	if err != nil || alive || namespace == p.options.Namespace {
		return alive, err
	}
	return p.options.Alive(ctx, namespace, consumer)
}

// deniedByRole tells RBAC from quotas, webhooks and policies, which forbid, too
// (k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go).
var deniedByRole = regexp.MustCompile(`User "[^"]*" cannot `)

// explainAPI says what was asked of the API server; what is forbidden is in its
// own words: user, verb, resource and namespace.
func explainAPI(asked string, err error) error {
	// It may quote objects, which have values of variables in them.
	err = foreign.Error(err)
	if apierrors.IsForbidden(err) && deniedByRole.MatchString(err.Error()) {
		return fmt.Errorf("may not %s: %w\nthe Role that is needed is in docs/rbac.md", asked, err)
	}
	return fmt.Errorf("%s: %w", asked, err)
}
