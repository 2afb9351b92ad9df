package workload

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// fieldManager is the name under which workloads are patched.
const fieldManager = "kubectl-e2eimage"

// Plan is which workloads get which images.
type Plan struct {
	api     kubernetes.Interface
	options Options
	targets []*target
}

// target is one workload with the images that it gets.
type target struct {
	ref    reference
	images []Image
	object object
	// running is what Wait found.
	running []Running
}

// Prepare reads the workloads, one GET each, and checks that every image finds
// its containers and that no other consumer holds a workload. All mistakes are
// reported together. Nothing is changed.
func Prepare(ctx context.Context, api kubernetes.Interface, options Options, images []Image) (*Plan, error) {
	plan := &Plan{api: api, options: options}
	var mistakes []error
	for _, image := range images {
		for _, text := range image.Workloads {
			ref, err := parseReference(text, options.Namespace)
			if err != nil {
				mistakes = append(mistakes, fmt.Errorf("%s: %w", image.Name, err))
				continue
			}
			plan.add(ref, image)
		}
	}
	for _, t := range plan.targets {
		if err := plan.read(ctx, t); err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		_, err := plan.patchFor(ctx, t)
		mistakes = append(mistakes, err)
	}
	return plan, errors.Join(mistakes...)
}

// add gives a workload one more image.
func (p *Plan) add(ref reference, image Image) {
	for _, t := range p.targets {
		if t.ref == ref {
			t.images = append(t.images, image)
			return
		}
	}
	p.targets = append(p.targets, &target{ref: ref, images: []Image{image}})
}

func (p *Plan) read(ctx context.Context, t *target) error {
	raw, err := clientFor(p.api, t.ref).get(ctx, t.ref.name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return p.absent(ctx, t)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("may not read %s in namespace %s: %w\nthe Role that is needed is in docs/rbac.md", t.ref, t.ref.namespace, err)
	case err != nil:
		return fmt.Errorf("read %s in namespace %s: %w", t.ref, t.ref.namespace, err)
	}
	t.object, err = asObject(raw)
	return err
}

// absent says what there is instead of a workload.
func (p *Plan) absent(ctx context.Context, t *target) error {
	var there []string
	for _, known := range []kind{deployment, statefulSet, daemonSet} {
		listed, err := clientFor(p.api, reference{namespace: t.ref.namespace, kind: known}).list(ctx, metav1.ListOptions{Limit: 100})
		if err != nil {
			continue
		}
		_ = meta.EachListItem(listed, func(raw runtime.Object) error {
			if accessor, err := meta.Accessor(raw); err == nil {
				there = append(there, string(known)+"/"+accessor.GetName())
			}
			return nil
		})
	}
	wanted := fmt.Sprintf("%s: there is no %s in namespace %s", t.images[0].Name, t.ref, t.ref.namespace)
	if len(there) == 0 {
		return fmt.Errorf("%s, nor any other workload; create it, or say where it is with -n or --workload", wanted)
	}
	slices.SortStableFunc(there, func(a, b string) int { return unlike(a, t.ref.name) - unlike(b, t.ref.name) })
	return fmt.Errorf("%s; there are %s\nsay which with --workload", wanted, strings.Join(there[:min(len(there), 8)], ", "))
}

// unlike orders names: those that contain the wanted one, or are part of it, first.
func unlike(candidate, wanted string) int {
	_, name, _ := strings.Cut(candidate, "/")
	if strings.Contains(name, wanted) || strings.Contains(wanted, name) {
		return 0
	}
	return 1
}

// Apply patches the workloads that are not right yet. The change of somebody
// who was faster is kept: the patch is worked out anew.
func (p *Plan) Apply(ctx context.Context) ([]Change, error) {
	var changes []Change
	var failures []error
	for _, t := range p.targets {
		patched, err := p.apply(ctx, t)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		changes = append(changes, Change{
			Name: t.ref.String(), Namespace: t.ref.namespace, Patched: patched, Generation: t.object.meta.Generation,
		})
	}
	return changes, errors.Join(failures...)
}

func (p *Plan) apply(ctx context.Context, t *target) (patched bool, err error) {
	api := clientFor(p.api, t.ref)
	options := metav1.PatchOptions{FieldManager: fieldManager}
	if p.options.DryRun == DryRunServer {
		options.DryRun = []string{metav1.DryRunAll}
	}
	fresh := true
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		if !fresh {
			if err := p.read(ctx, t); err != nil {
				return err
			}
		}
		fresh, patched = false, false
		patch, err := p.patchFor(ctx, t)
		if err != nil || patch == nil {
			return err
		}
		patched = true
		if p.options.DryRun == DryRunClient {
			return nil
		}
		raw, err := api.patch(ctx, t.ref.name, patch, options)
		if err != nil {
			return err
		}
		t.object, err = asObject(raw)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("patch %s in namespace %s: %w", t.ref, t.ref.namespace, err)
	}
	return patched, nil
}

// Running returns the containers that Wait saw running the images.
func (p *Plan) Running() []Running {
	var running []Running
	for _, t := range p.targets {
		running = append(running, t.running...)
	}
	return running
}
