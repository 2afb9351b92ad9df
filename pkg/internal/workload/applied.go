package workload

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
)

// Cluster is where manifests are applied.
type Cluster struct {
	API     kubernetes.Interface
	Dynamic dynamic.Interface
	Mapper  meta.RESTMapper
}

// applied is an object of the manifests on its way into the cluster.
type applied struct {
	object  manifestObject
	mapping *meta.RESTMapping
	// live is how it was before, nil if it did not exist.
	live *unstructured.Unstructured
	// fixed is why it has to be deleted and made anew, "" if it has not.
	fixed string
	// after is how it is, or by a dry run would be.
	after *unstructured.Unstructured
	// target is set for workloads.
	target *target
}

// where names the object for sentences.
func (a *applied) where() string {
	if namespace := a.object.GetNamespace(); namespace != "" {
		return a.object.String() + " in namespace " + namespace
	}
	return a.object.String()
}

// PrepareManifests finds out what applying the manifests will do: which workloads
// have the images, what is there already, and whether the API server will take each
// object. Nothing is changed; all that is wrong is reported together.
func PrepareManifests(ctx context.Context, cluster Cluster, options Options, images []Image, manifests []Manifest) (*Plan, error) {
	objects, err := parse(manifests)
	if err != nil {
		return nil, err
	}
	plan := &Plan{api: cluster.API, cluster: cluster, options: options, namespaces: map[string]bool{}}
	var mistakes []error
	for _, o := range objects {
		a := &applied{object: o}
		plan.applied = append(plan.applied, a)
		mistakes = append(mistakes, plan.place(a), plan.dress(a, images))
	}
	mistakes = append(mistakes, plan.unused(images))
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	for _, a := range plan.applied {
		mistakes = append(mistakes, plan.check(ctx, a))
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	return plan, nil
}

// place finds the API of the object's kind and its namespace.
func (p *Plan) place(a *applied) error {
	gvk := a.object.GroupVersionKind()
	var err error
	if a.mapping = p.definedHere(gvk); a.mapping == nil {
		if a.mapping, err = p.cluster.Mapper.RESTMapping(gvk.GroupKind(), gvk.Version); err != nil {
			return fmt.Errorf("%s: %s: the cluster does not know its kind %s of %s; does its CustomResourceDefinition belong to the manifests? %w",
				a.object.source, a.object, gvk.Kind, gvk.GroupVersion(), err)
		}
	}
	switch a.mapping.Scope.Name() {
	case meta.RESTScopeNameRoot:
		a.object.SetNamespace("")
	case meta.RESTScopeNameNamespace:
		if a.object.GetNamespace() == "" {
			a.object.SetNamespace(p.options.Namespace)
		}
	}
	return nil
}

// dress finds the images in an object. A workload becomes a target, whether it has
// one or not: all of them are waited for.
func (p *Plan) dress(a *applied, images []Image) error {
	k := kindOf(a.object)
	if k == "" {
		return nil
	}
	typed, err := typedObject(a.object.Unstructured, k)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", a.object.source, a.object, err)
	}
	a.target = &target{
		ref:    reference{namespace: a.object.GetNamespace(), kind: k, name: a.object.GetName()},
		object: typed, assigned: having(&typed.template.Spec, images),
		otherwise: Image{Timeout: p.options.Timeout, MaxRestarts: p.options.MaxRestarts},
	}
	for _, assigned := range a.target.assigned {
		if !slices.ContainsFunc(a.target.images, func(i Image) bool { return i.Name == assigned.image.Name }) {
			a.target.images = append(a.target.images, assigned.image)
		}
	}
	p.targets = append(p.targets, a.target)
	return dress(a.object.Unstructured, k, a.target.assigned, p.options.Consumer)
}

// unused says which images no object has: those that were asked for by name, or
// all of them.
func (p *Plan) unused(images []Image) error {
	var absent []Image
	for _, image := range images {
		if !slices.ContainsFunc(p.applied, func(a *applied) bool { return mentions(a.object.Object, image.Image) }) {
			absent = append(absent, image)
		}
	}
	if len(absent) == 0 || !p.options.AllUsed && len(absent) < len(images) {
		return nil
	}
	var mistakes []error
	for _, image := range absent {
		looked := append([]string{"e2eimage://" + image.Name, image.Image}, image.Aliases...)
		slices.Sort(looked[1:])
		mistakes = append(mistakes, fmt.Errorf("%s: nothing in the manifests has it; looked for %s\nwrite image: e2eimage://%s where it belongs",
			image.Name, strings.Join(slices.Compact(looked), ", "), image.Name))
	}
	return errors.Join(mistakes...)
}

// check compares the object with what is there, and lets the API server judge it.
func (p *Plan) check(ctx context.Context, a *applied) error {
	if p.comes(a) {
		return nil
	}
	live, err := p.cluster.resourceOf(a.object, a.mapping).Get(ctx, a.object.GetName(), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		if err := p.namespaceThere(ctx, a); err != nil {
			return err
		}
	case err != nil:
		return explainAPI("read "+a.where(), err)
	default:
		a.live = live
		if err := p.checkLive(ctx, a); err != nil {
			return err
		}
	}
	if p.options.DryRun == DryRunClient || a.fixed != "" {
		return p.checkFixed(ctx, a)
	}
	a.after, err = p.serverSide(ctx, a, true)
	switch {
	case err == nil:
		return nil
	case a.live != nil && apierrors.IsInvalid(err) && a.target != nil && (a.target.ref.kind == job || a.target.ref.kind == barePod):
		a.fixed = err.Error()
		return p.checkFixed(ctx, a)
	case apierrors.IsBadRequest(err) && strings.Contains(err.Error(), "does not support dry run"):
		// A webhook that has effects is asked when it counts.
		return nil
	}
	return fmt.Errorf("%s: %w", a.object.source, a.explained("apply", err))
}

// comes tells whether the object can only be judged when others of the manifests
// are there: its kind or its namespace.
func (p *Plan) comes(a *applied) bool {
	if definition := p.definition(a.object.GroupVersionKind()); definition != nil && definition.live == nil {
		return true
	}
	namespace := a.object.GetNamespace()
	return slices.ContainsFunc(p.applied, func(o *applied) bool {
		return o.object.GetKind() == "Namespace" && o.object.GetName() == namespace && o.live == nil
	})
}

// namespaceThere says that a namespace does not exist once for all its objects.
func (p *Plan) namespaceThere(ctx context.Context, a *applied) error {
	namespace := a.object.GetNamespace()
	if namespace == "" {
		return nil
	}
	if p.namespaces[namespace] {
		return nil
	}
	p.namespaces[namespace] = true
	if _, err := p.api.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{}); apierrors.IsNotFound(err) {
		return fmt.Errorf("namespace %q does not exist; put it into the manifests, or: kubectl create namespace %s", namespace, namespace)
	}
	// Whoever may not see namespaces is told when the objects are applied.
	return nil
}

// checkLive compares a workload with the one that is there.
func (p *Plan) checkLive(ctx context.Context, a *applied) error {
	t := a.target
	if t == nil {
		return nil
	}
	typed, err := typedObject(a.live, t.ref.kind)
	if err != nil {
		return fmt.Errorf("%s: %w", a.where(), err)
	}
	wanted := t.object
	t.object = typed
	if len(t.images) > 0 {
		if _, err := p.checkMark(ctx, t); err != nil {
			return err
		}
	}
	if pod, ok := typed.Object.(*corev1.Pod); ok {
		t.before = staleContainers(pod, &wanted.template.Spec)
		for _, assigned := range t.assigned {
			noted, there := pod.Annotations[ImageIDPrefix+assigned.image.Name]
			if there && noted != assigned.image.ImageID && len(t.before) == 0 {
				a.fixed = "the Pod runs other content of the same name"
			}
		}
	}
	if a.fixed == "" && p.options.Replace && typed.failedForGood() {
		a.fixed = "it has failed"
	}
	return nil
}

// checkFixed is an error unless what cannot be changed may be made anew; the API
// server judges then whether it can be made.
func (p *Plan) checkFixed(ctx context.Context, a *applied) error {
	switch {
	case a.fixed == "":
		return nil
	case !p.options.Replace:
		return fmt.Errorf("%s cannot be changed: %s\nhave it deleted and made anew with --replace", a.where(), a.fixed)
	case p.options.DryRun == DryRunClient:
		return nil
	}
	trial := &applied{object: manifestObject{Unstructured: a.object.DeepCopy(), source: a.object.source}, mapping: a.mapping}
	trial.object.SetName(a.object.GetName() + "-e2eimage-trial")
	if _, err := p.serverSide(ctx, trial, true); err != nil && !apierrors.IsForbidden(err) {
		return fmt.Errorf("%s: %w", a.object.source, explainAPI("make "+a.where()+" anew", err))
	}
	return nil
}

// applyAll applies the manifests in their order.
func (p *Plan) applyAll(ctx context.Context) ([]Change, error) {
	var changes []Change
	for _, a := range p.applied {
		if err := p.applyOne(ctx, a); err != nil {
			return changes, p.partly(changes, err)
		}
		changes = append(changes, a.change(p.options.DryRun))
	}
	return changes, nil
}

// partly says what was applied before the one that failed.
func (p *Plan) partly(changes []Change, err error) error {
	var done []string
	for _, change := range changes {
		if change.Action != Unchanged {
			done = append(done, change.Name)
		}
	}
	if len(done) == 0 {
		return err
	}
	return fmt.Errorf("%w\napplied before that, and left: %s", err, strings.Join(done, ", "))
}

func (p *Plan) applyOne(ctx context.Context, a *applied) error {
	if p.options.DryRun == DryRunClient || p.options.DryRun == DryRunServer {
		return nil
	}
	var err error
	if a.fixed != "" {
		err = p.remake(ctx, a.target, func(ctx context.Context) error {
			a.after, err = p.serverSide(ctx, a, false)
			return err
		})
	} else {
		err = p.untilServed(ctx, a, func(ctx context.Context) error {
			a.after, err = p.serverSide(ctx, a, false)
			return err
		})
		err = a.explained("apply", err)
	}
	if err != nil {
		return err
	}
	if a.object.GroupVersionKind().GroupKind() == customResourceDefinition {
		return p.established(ctx, a)
	}
	if a.target == nil {
		return nil
	}
	a.target.object, err = typedObject(a.after, a.target.ref.kind)
	a.target.patched = a.live == nil || a.fixed != "" || a.after.GetGeneration() != a.live.GetGeneration()
	return err
}

// substance is what of an object counts as a change.
func substance(u *unstructured.Unstructured) map[string]any {
	bare := u.DeepCopy()
	for _, field := range []string{"managedFields", "resourceVersion", "generation"} {
		unstructured.RemoveNestedField(bare.Object, "metadata", field)
	}
	unstructured.RemoveNestedField(bare.Object, "status")
	return bare.Object
}

func (a *applied) change(dry DryRun) Change {
	change := Change{Name: a.object.String(), Namespace: a.object.GetNamespace(), Action: a.action(dry), Containers: []ContainerChange{}}
	if a.after != nil {
		change.Generation = a.after.GetGeneration()
	}
	if a.target != nil {
		for _, assigned := range a.target.assigned {
			change.Containers = append(change.Containers, assigned.change())
		}
	}
	return change
}

// action says what was done, or by a dry run would be.
func (a *applied) action(dry DryRun) Action {
	switch {
	case a.fixed != "":
		return Replaced
	case a.live == nil:
		return Created
	case dry != DryRunClient && a.after != nil && equality.Semantic.DeepEqual(substance(a.live), substance(a.after)):
		return Unchanged
	}
	return Configured
}
