package apply

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

var customResourceDefinition = schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}

// establishLimit bounds how long the API server takes to serve a new kind.
const establishLimit = 30 * time.Second

// definitionOf is the CustomResourceDefinition of the manifests that a kind comes
// from, nil for none.
func (p *Plan) definitionOf(of schema.GroupVersionKind) *appliedObject {
	for _, a := range p.applied {
		if a.object.GroupVersionKind().GroupKind() != customResourceDefinition {
			continue
		}
		group, _, _ := unstructured.NestedString(a.object.Object, "spec", "group")
		name, _, _ := unstructured.NestedString(a.object.Object, "spec", "names", "kind")
		if group == of.Group && name == of.Kind {
			return a
		}
	}
	return nil
}

// mappingInManifests is the API of a kind that the manifests define themselves: the API
// server cannot be asked for it yet.
func (p *Plan) mappingInManifests(of schema.GroupVersionKind) *meta.RESTMapping {
	definition := p.definitionOf(of)
	if definition == nil {
		return nil
	}
	plural, _, _ := unstructured.NestedString(definition.object.Object, "spec", "names", "plural")
	scope, _, _ := unstructured.NestedString(definition.object.Object, "spec", "scope")
	mapping := &meta.RESTMapping{
		Resource: of.GroupVersion().WithResource(plural), GroupVersionKind: of,
		Scope: meta.RESTScopeNamespace,
	}
	if scope == "Cluster" {
		mapping.Scope = meta.RESTScopeRoot
	}
	return mapping
}

// waitEstablished watches a CustomResourceDefinition until its kind is served.
func (p *Plan) waitEstablished(ctx context.Context, a *appliedObject) error {
	ctx, cancel := context.WithTimeout(ctx, establishLimit)
	defer cancel()
	resource := p.cluster.resourceOf(a.object, a.mapping)
	refused := ""
	definitions := kube.Client{
		List:  func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return resource.List(ctx, o) },
		Watch: resource.Watch, Empty: &unstructured.Unstructured{},
	}
	err := until(ctx, definitions, p.cluster.Dynamic, a.object.GetName(), denied, nil,
		func(event watch.Event) (bool, error) {
			u, ok := event.Object.(*unstructured.Unstructured)
			if !ok {
				return false, nil
			}
			status := conditionsOf(u)
			refused = status["NamesAccepted=False"]
			_, served := status["Established=True"]
			return served || refused != "", nil
		})
	if refused != "" {
		return fmt.Errorf("%s: its names are taken: %s", a.where(), refused)
	}
	if err != nil {
		return fmt.Errorf("%s: the API server is not known to serve it after up to %s: %w\nlook why: kubectl describe crd %s",
			a.where(), establishLimit, err, a.object.GetName())
	}
	return nil
}

// conditionsOf are the messages of an object's conditions by TYPE=STATUS.
func conditionsOf(u *unstructured.Unstructured) map[string]string {
	found := map[string]string{}
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, condition := range conditions {
		fields, ok := condition.(map[string]any)
		if !ok {
			continue
		}
		found[fmt.Sprintf("%v=%v", fields["type"], fields["status"])] = strings.TrimSpace(fmt.Sprint(fields["message"]))
	}
	return found
}

// retryUntilServed tries again while the API server, which has established a kind of the
// manifests, does not answer for it as it is now yet: nothing can be watched for that.
func (p *Plan) retryUntilServed(ctx context.Context, a *appliedObject, apply func(context.Context) error) error {
	err := apply(ctx)
	definition := p.definitionOf(a.object.GroupVersionKind())
	if !notServedYet(err) || definition == nil || !definition.changes() {
		return err
	}
	backoff := wait.Backoff{Duration: 50 * time.Millisecond, Factor: 2, Steps: 7}
	_ = wait.ExponentialBackoffWithContext(ctx, backoff, func(ctx context.Context) (bool, error) {
		err = apply(ctx)
		return !notServedYet(err), nil
	})
	return err
}

// notServedYet is how the API server answers for a kind, or a field of it, that it does
// not know yet (sigs.k8s.io/structured-merge-diff/typed).
func notServedYet(err error) bool {
	return apierrors.IsNotFound(err) || err != nil && strings.Contains(err.Error(), "field not declared in schema")
}
