package workload

import (
	"context"
	"errors"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
	"k8s.io/klog/v2"
)

// until watches the object of a name until the condition holds, or the precondition
// of what is there at first. api is the client behind c. What the API server will not
// show ends it at once; other trouble is tried again, and told if it was the last.
func (c client) until(ctx context.Context, api any, name string, precondition watchtools.PreconditionFunc, condition watchtools.ConditionFunc) error {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	var mu sync.Mutex
	var trouble error
	note := func(err error) {
		mu.Lock()
		trouble = err
		mu.Unlock()
		if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
			giveUp(err)
		}
	}
	byName := func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector("metadata.name", name).String()
	}
	// The reflector's own words would be on everyone's stderr.
	quiet := klog.NewContext(ctx, klog.Logger{})
	_, err := watchtools.UntilWithSync(quiet, cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			byName(&options)
			list, err := c.list(ctx, options)
			note(err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			byName(&options)
			events, err := c.watch(ctx, options)
			note(err)
			return events, err
		},
	}, api), c.empty, precondition, condition)
	if err == nil || ctx.Err() == nil {
		return err
	}
	mu.Lock()
	defer mu.Unlock()
	if cause := context.Cause(ctx); !errors.Is(trouble, cause) {
		return errors.Join(cause, trouble)
	}
	return trouble
}
