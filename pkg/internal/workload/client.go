package workload

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// client is the API of one kind in one namespace.
type client struct {
	get   func(context.Context, string, metav1.GetOptions) (runtime.Object, error)
	patch func(context.Context, string, []byte, metav1.PatchOptions) (runtime.Object, error)
	// create wants an object of the kind.
	create func(context.Context, runtime.Object, metav1.CreateOptions) (runtime.Object, error)
	remove func(context.Context, string, metav1.DeleteOptions) error
	list   func(context.Context, metav1.ListOptions) (runtime.Object, error)
	watch  func(context.Context, metav1.ListOptions) (watch.Interface, error)
	empty  runtime.Object
}

// typed is what the generated clients of all kinds have in common.
type typed[T, L runtime.Object] interface {
	Get(context.Context, string, metav1.GetOptions) (T, error)
	Patch(context.Context, string, types.PatchType, []byte, metav1.PatchOptions, ...string) (T, error)
	List(context.Context, metav1.ListOptions) (L, error)
	Watch(context.Context, metav1.ListOptions) (watch.Interface, error)
	Create(context.Context, T, metav1.CreateOptions) (T, error)
	Delete(context.Context, string, metav1.DeleteOptions) error
}

// clientFor is the API of a workload's kind in its namespace.
func clientFor(api API, ref reference) client { return ref.kind.row().client(api, ref.namespace) }

func wrap[T, L runtime.Object](c typed[T, L], empty runtime.Object) client {
	return client{
		get: func(ctx context.Context, name string, options metav1.GetOptions) (runtime.Object, error) {
			return c.Get(ctx, name, options)
		},
		patch: func(ctx context.Context, name string, patch []byte, options metav1.PatchOptions) (runtime.Object, error) {
			return c.Patch(ctx, name, types.StrategicMergePatchType, patch, options)
		},
		list: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return c.List(ctx, options)
		},
		create: func(ctx context.Context, object runtime.Object, options metav1.CreateOptions) (runtime.Object, error) {
			typed, ok := object.(T)
			if !ok {
				return nil, fmt.Errorf("%T is not of the kind %T", object, empty)
			}
			return c.Create(ctx, typed, options)
		},
		remove: c.Delete,
		watch:  c.Watch,
		empty:  empty,
	}
}

// byName selects one object.
func byName(name string) string { return fields.OneTermEqualSelector("metadata.name", name).String() }
