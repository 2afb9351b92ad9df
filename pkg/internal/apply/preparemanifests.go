package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// Cluster is where manifests are applied.
type Cluster struct {
	API     kube.API
	Dynamic dynamic.Interface
	Mapper  meta.RESTMapper
}

// appliedObject is an object of the manifests on its way into the cluster.
type appliedObject struct {
	object  manifestObject
	mapping *meta.RESTMapping
	// live is how it was before, nil if it did not exist.
	live *unstructured.Unstructured
	// immutable is why it has to be deleted and made anew, "" if it has not.
	immutable string
	// result is how it is, or by a dry run would be.
	result *unstructured.Unstructured
	// placed: it can be asked for.
	placed bool
	// target is set for workloads.
	target *target
}

// where names the object for sentences.
func (a *appliedObject) where() string {
	if namespace := a.object.GetNamespace(); namespace != "" {
		return a.object.String() + " in namespace " + namespace
	}
	return a.object.String()
}

// PrepareManifests finds out what applying the manifests will do: which workloads
// have the images, what is there already, and whether the API server will take each
// object. Nothing is changed; all that is wrong is reported together.
func PrepareManifests(ctx context.Context, cluster Cluster, options Options, images []kube.Image,
	manifests []Manifest,
) (*Plan, error) {
	objects, hooks, err := parseApplicable(manifests)
	if err != nil {
		return nil, err
	}
	plan := &Plan{api: cluster.API, cluster: cluster, options: options, namespaces: map[string]bool{}, hooks: hooks}
	var mistakes []error
	for _, o := range objects {
		a := &appliedObject{object: o}
		plan.applied = append(plan.applied, a)
		err := errors.Join(plan.resolveKind(a), checkSecret(o), plan.addTarget(a, images))
		a.placed = err == nil
		mistakes = append(mistakes, err)
	}
	mistakes = append(mistakes, missingImages(objects, images, options.AllUsed), plan.checkDuplicates())
	for _, a := range plan.applied {
		if a.placed {
			mistakes = append(mistakes, plan.checkObject(ctx, a))
		}
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	return plan, nil
}

// resolveKind finds the API of the object's kind and its namespace.
func (p *Plan) resolveKind(a *appliedObject) error {
	gvk := a.object.GroupVersionKind()
	var err error
	if a.mapping = p.mappingInManifests(gvk); a.mapping == nil {
		if a.mapping, err = p.cluster.Mapper.RESTMapping(gvk.GroupKind(), gvk.Version); err != nil {
			return fmt.Errorf("%s: %s: the cluster does not know its kind %s of %s; does its CustomResourceDefinition belong "+
				"to the manifests? %w",
				a.object.source, a.object, gvk.Kind, gvk.GroupVersion(), err)
		}
	}
	switch a.mapping.Scope.Name() {
	case meta.RESTScopeNameRoot:
		a.object.SetNamespace("")
	case meta.RESTScopeNameNamespace:
		switch namespace := a.object.GetNamespace(); {
		case namespace == "":
			a.object.SetNamespace(p.options.Namespace)
		case p.options.OneNamespace && namespace != p.options.Namespace:
			return fmt.Errorf("%s: %s is of namespace %s, which does not match -n %s; leave -n out, or the namespace of the "+
				"object",
				a.object.source, a.object, namespace, p.options.Namespace)
		}
	}
	return nil
}

// checkDuplicates says which objects stand more than once in the manifests.
func (p *Plan) checkDuplicates() error {
	first := map[string]*appliedObject{}
	var mistakes []error
	for _, a := range p.applied {
		key := a.where()
		if before := first[key]; before != nil {
			mistakes = append(mistakes, fmt.Errorf("%s stands twice in the manifests: in %s and in %s", a.where(),
				before.object.source, a.object.source))
			continue
		}
		first[key] = a
	}
	return errors.Join(mistakes...)
}

// addTarget finds the images in an object. A workload becomes a target, whether it has
// one or not: all of them are waited for.
func (p *Plan) addTarget(a *appliedObject, images []kube.Image) error {
	k := kube.KindOf(a.object.GroupVersionKind().GroupKind())
	if k == "" {
		return nil
	}
	typed, err := kube.Decode(a.object.Unstructured, k)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", a.object.source, a.object, err)
	}
	a.target = &target{Target: kube.Target{
		Ref:    kube.Reference{Namespace: a.object.GetNamespace(), Kind: k, Name: a.object.GetName()},
		Object: typed, Assigned: assignmentsIn(&typed.Template.Spec, images),
	}}
	for _, assigned := range a.target.Assigned {
		if !slices.ContainsFunc(a.target.Images, func(i kube.Image) bool { return i.Name == assigned.Image.Name }) {
			a.target.Images = append(a.target.Images, assigned.Image)
		}
	}
	if len(a.target.Images) == 0 {
		a.target.Defaults = kube.Image{Timeout: p.options.Timeout, MaxRestarts: p.options.MaxRestarts}
	}
	p.targets = append(p.targets, a.target)
	if err := injectImages(a.object.Unstructured, k, a.target.Assigned, images, p.options.Consumer); err != nil {
		return fmt.Errorf("%s: %s: %w", a.object.source, a.object, err)
	}
	return nil
}
