package apply

import (
	"context"
	"fmt"
	"maps"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// checkObject compares the object with what is there, and lets the API server judge it.
// Objects are checked in their order: what earlier ones bring is known.
func (p *Plan) checkObject(ctx context.Context, a *appliedObject) error {
	if p.waitsForOthers(a) {
		return nil
	}
	live, err := p.cluster.resourceOf(a.object, a.mapping).Get(a.object.unlogged(ctx), a.object.GetName(),
		metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		if there, err := p.namespaceExists(ctx, a.object.GetNamespace()); !there {
			return err
		}
	case err != nil:
		return kube.ExplainAPI("read "+a.where(), err)
	default:
		a.live = live
		if err := p.checkLive(ctx, a); err != nil {
			return err
		}
	}
	if p.options.DryRun == DryRunClient || a.immutable != "" {
		return p.checkImmutable(ctx, a)
	}
	return p.dryRunApply(ctx, a)
}

// dryRunApply lets the API server judge the object by a dry run.
func (p *Plan) dryRunApply(ctx context.Context, a *appliedObject) error {
	var err error
	if a.result, err = p.serverSide(ctx, a, true); err == nil {
		err = p.fixPullPolicy(ctx, a)
	}
	switch {
	case err == nil:
		return nil
	case a.live != nil && apierrors.IsInvalid(err) && a.target != nil && a.target.Ref.Kind.Replaceable():
		// The object itself is wrong, or it cannot become this.
		if err := p.dryRunCreateEarly(ctx, a); err != nil {
			return err
		}
		// Not in the API server's words, which have the whole spec in them.
		if a.immutable = podImmutable; a.target.Ref.Kind == kube.Job {
			a.immutable = jobImmutable
		}
		return p.checkImmutable(ctx, a)
	case dryRunUnsupported(err), p.missesOthers(a, err):
		// It is judged when it counts.
		return nil
	}
	return fmt.Errorf("%s: %w", a.object.source, a.explain("apply", err))
}

// fixPullPolicy mends a pull policy that the manifest does not set and that was Always
// before: it is kept by server-side apply, and would let the node's image be passed by.
func (p *Plan) fixPullPolicy(ctx context.Context, a *appliedObject) error {
	if a.live == nil || a.target == nil || len(a.target.Images) == 0 {
		return nil
	}
	result, err := kube.Decode(a.result, a.target.Ref.Kind)
	if err != nil {
		return err
	}
	assigned := assignmentsIn(&result.Template.Spec, a.target.Images)
	pulls := func(one kube.Assignment) bool { return one.Container.ImagePullPolicy != one.PullPolicy() }
	if !slices.ContainsFunc(assigned, pulls) {
		return nil
	}
	if err := injectImages(a.object.Unstructured, a.target.Ref.Kind, assigned, nil, p.options.Consumer); err != nil {
		return err
	}
	a.result, err = p.serverSide(ctx, a, true)
	return err
}

// waitsForOthers tells whether the object can only be judged when others of the manifests
// are there: its kind or its namespace.
func (p *Plan) waitsForOthers(a *appliedObject) bool {
	if definition := p.definitionOf(a.object.GroupVersionKind()); definition != nil && definition.live == nil {
		return true
	}
	namespace := a.object.GetNamespace()
	return slices.ContainsFunc(p.applied, func(o *appliedObject) bool {
		return o.object.GetKind() == "Namespace" && o.object.GetName() == namespace && o.live == nil
	})
}

// admissionKinds are the kinds that others are admitted by.
var admissionKinds = []schema.GroupKind{
	{Kind: "Namespace"},
	{Kind: "ServiceAccount"},
	{Kind: "LimitRange"},
	{Kind: "ResourceQuota"},
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"},
	{Group: "node.k8s.io", Kind: "RuntimeClass"},
	{Group: "storage.k8s.io", Kind: "StorageClass"},
	{Group: "rbac.authorization.k8s.io", Kind: "Role"},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"},
}

// missesOthers tells whether the API server may refuse the object only because
// others of the same manifests are not as they will be.
func (p *Plan) missesOthers(a *appliedObject, err error) bool {
	if definition := p.definitionOf(a.object.GroupVersionKind()); definition != nil && definition.changes() {
		return true
	}
	if !apierrors.IsForbidden(err) && !apierrors.IsNotFound(err) || kube.DeniedByRole(err) {
		return false
	}
	return slices.ContainsFunc(p.applied, func(o *appliedObject) bool {
		return o != a && slices.Contains(admissionKinds, o.object.GroupVersionKind().GroupKind()) && o.changes()
	})
}

// changes tells whether the object is created or changed.
func (a *appliedObject) changes() bool {
	return a.live == nil || a.result == nil || !sameContent(a.live, a.result)
}

// namespaceExists says that a namespace does not exist, once for all its objects.
func (p *Plan) namespaceExists(ctx context.Context, namespace string) (bool, error) {
	if namespace == "" {
		return true, nil
	}
	there, asked := p.namespaces[namespace]
	if asked {
		return there, nil
	}
	_, err := p.api.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
	// Whoever may not see namespaces is told when the objects are judged.
	there = !apierrors.IsNotFound(err)
	p.namespaces[namespace] = there
	if there {
		return true, nil
	}
	return false, fmt.Errorf("namespace %q does not exist; put it into the manifests, or: kubectl create namespace %s",
		namespace, namespace)
}

// checkLive compares a workload with the one that is there.
func (p *Plan) checkLive(ctx context.Context, a *appliedObject) error {
	t := a.target
	if t == nil {
		return nil
	}
	typed, err := kube.Decode(a.live, t.Ref.Kind)
	if err != nil {
		return fmt.Errorf("%s: %w", a.where(), err)
	}
	wanted := t.Object
	t.Object = typed
	// Also of one that has no image of ours: another consumer's it may be.
	if _, err := p.checkMark(ctx, t); err != nil {
		return err
	}
	switch live := typed.Object.(type) {
	case *corev1.Pod:
		a.immutable = immutablePod(live, t.Assigned)
		if a.immutable == "" && kube.HasEnded(live) && !kube.HasImagesOf(&live.Spec, &wanted.Template.Spec) {
			a.immutable = podEnded
		}
	case *batchv1.Job:
		has := kube.ImageIDs(live.Spec.Template.Annotations)
		wants := kube.ImageIDs(templateAnnotations(a.object.Unstructured, t.Ref.Kind))
		missing := p.missingIDAnnotations(t, wanted, live)
		maps.DeleteFunc(wants, func(key, _ string) bool { return slices.Contains(missing, key) })
		if !kube.HasImagesOf(&live.Spec.Template.Spec, &wanted.Template.Spec) || !maps.Equal(has, wants) {
			a.immutable = jobImmutable
			return nil
		}
		for _, key := range missing {
			unstructured.RemoveNestedField(a.object.Object, append(kube.Job.TemplatePath(), "metadata", "annotations", key)...)
		}
	}
	if a.immutable == "" && p.options.Replace && failedForGood(typed) {
		a.immutable = "it has failed"
	}
	return nil
}

// missingIDAnnotations are those that only injectImages has put into a Job whose template
// lacks them and can never get them: one that a chart has made with the recorded image is
// right. Where it may be made anew it gets them.
func (p *Plan) missingIDAnnotations(t *target, wanted kube.Object, live *batchv1.Job) []string {
	if p.options.Replace {
		return nil
	}
	var keys []string
	for _, image := range t.Images {
		key := kube.ImageIDPrefix + image.Name
		_, noted := live.Spec.Template.Annotations[key]
		_, asked := wanted.Template.Annotations[key]
		if !noted && !asked {
			keys = append(keys, key)
		}
	}
	return keys
}

// templateAnnotations are the annotations of the pod template.
func templateAnnotations(u *unstructured.Unstructured, k kube.Kind) map[string]string {
	annotations, _, _ := unstructured.NestedStringMap(u.Object, append(k.TemplatePath(), "metadata", "annotations")...)
	return annotations
}

// checkImmutable is an error unless what cannot be changed may be made anew; the API
// server judges then whether it can be made.
func (p *Plan) checkImmutable(ctx context.Context, a *appliedObject) error {
	switch {
	case a.immutable == "":
		return nil
	case !p.options.Replace:
		return fmt.Errorf("%s: %s, so nothing was changed\nto delete and recreate it, use --replace", a.where(), a.immutable)
	case p.options.DryRun == DryRunClient:
		return nil
	}
	return p.dryRunCreateEarly(ctx, a)
}

// dryRunCreateEarly is dryRunCreate before the other objects of the manifests are applied:
// what only those may bring is no reason to stop.
func (p *Plan) dryRunCreateEarly(ctx context.Context, a *appliedObject) error {
	err := p.dryRunCreate(ctx, a)
	if p.missesOthers(a, err) {
		return nil
	}
	return err
}

// dryRunCreate lets the API server judge whether the object could be made anew.
func (p *Plan) dryRunCreate(ctx context.Context, a *appliedObject) error {
	trial := &appliedObject{
		object: manifestObject{Unstructured: a.object.DeepCopy(), source: a.object.source}, mapping: a.mapping,
	}
	trial.object.SetName(dryRunName(a.object.GetName()))
	if _, err := p.serverSide(ctx, trial, true); creationRefused(err) {
		return fmt.Errorf("%s: %w\nit was not changed", a.object.source, kube.ExplainAPI("recreate "+a.where(), err))
	}
	return nil
}
