package kube

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// Client is the API of one kind in one namespace.
type Client struct {
	Get   func(context.Context, string, metav1.GetOptions) (runtime.Object, error)
	Patch func(context.Context, string, []byte, metav1.PatchOptions) (runtime.Object, error)
	// Create wants an object of the kind.
	Create func(context.Context, runtime.Object, metav1.CreateOptions) (runtime.Object, error)
	Delete func(context.Context, string, metav1.DeleteOptions) error
	List   func(context.Context, metav1.ListOptions) (runtime.Object, error)
	Watch  func(context.Context, metav1.ListOptions) (watch.Interface, error)
	// Empty is an object of the kind.
	Empty runtime.Object
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

// Client is the API of the kind in a namespace.
func (k Kind) Client(api API, namespace string) Client { return k.traits().client(api, namespace) }

// Client is the API of the workload's kind in its namespace.
func (r Reference) Client(api API) Client { return r.Kind.Client(api, r.Namespace) }

// NewClient wraps a generated client. empty is an object of its kind.
func NewClient[T, L runtime.Object](c typed[T, L], empty runtime.Object) Client {
	return Client{
		Get: func(ctx context.Context, name string, options metav1.GetOptions) (runtime.Object, error) {
			return c.Get(ctx, name, options)
		},
		Patch: func(ctx context.Context, name string, patch []byte, options metav1.PatchOptions) (runtime.Object, error) {
			return c.Patch(ctx, name, types.StrategicMergePatchType, patch, options)
		},
		List: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return c.List(ctx, options)
		},
		Create: func(ctx context.Context, object runtime.Object, options metav1.CreateOptions) (runtime.Object, error) {
			typed, ok := object.(T)
			if !ok {
				return nil, fmt.Errorf("%T is not of the kind %T", object, empty)
			}
			return c.Create(ctx, typed, options)
		},
		Delete: c.Delete,
		Watch:  c.Watch,
		Empty:  empty,
	}
}

// ListWatcher lists and watches what the filter lets through, for informers. api is what
// the client belongs to.
func (c Client) ListWatcher(api any, filter func(*metav1.ListOptions)) cache.ListerWatcher {
	return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			filter(&options)
			return c.List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			filter(&options)
			return c.Watch(ctx, options)
		},
	}, api)
}

// ByName selects one object.
func ByName(name string) string { return fields.OneTermEqualSelector("metadata.name", name).String() }
