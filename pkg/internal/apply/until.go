package apply

import (
	"context"
	"errors"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	watchtools "k8s.io/client-go/tools/watch"
	"k8s.io/klog/v2"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// denied tells whether the API server will not show something.
func denied(err error) bool { return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) }

// never is for what must not be given up.
func never(error) bool { return false }

// until watches the object of a name until the condition holds, or the precondition
// of what is there at first. api is the client behind c. Trouble is tried again, unless it
// is final, and told if it was the last.
func until(ctx context.Context, c kube.Client, api any, name string, final func(error) bool,
	precondition watchtools.PreconditionFunc, condition watchtools.ConditionFunc,
) error {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	var mu sync.Mutex
	var trouble error
	note := func(err error) {
		mu.Lock()
		trouble = err
		mu.Unlock()
		if final(err) {
			giveUp(err)
		}
	}
	// The reflector's own words would be on everyone's stderr.
	quiet := klog.NewContext(ctx, klog.Logger{})
	noted := c
	noted.List = func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		list, err := c.List(ctx, options)
		note(err)
		return list, err
	}
	noted.Watch = func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
		events, err := c.Watch(ctx, options)
		note(err)
		return events, err
	}
	named := noted.ListWatcher(api, func(options *metav1.ListOptions) { options.FieldSelector = kube.ByName(name) })
	_, err := watchtools.UntilWithSync(quiet, named, c.Empty, precondition, condition)
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
