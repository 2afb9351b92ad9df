package workload

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

const (
	// lasting is how long a problem that may pass has to stay unchanged.
	lasting = 10 * time.Second
	// afterFailure is how long the other workloads get when one has failed.
	afterFailure = 10 * time.Second
)

var errOtherFailed = errors.New("another workload failed before this one was done")

// Wait watches all workloads until each is rolled out or cannot be any more,
// side by side. Errors: *RolloutError, joined.
func (p *Plan) Wait(ctx context.Context, report progress.Reporter) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	failures := make([]error, len(p.targets))
	var all sync.WaitGroup
	for i, t := range p.targets {
		all.Go(func() {
			end := report.Start(fmt.Sprintf("wait for %s", t.ref))
			failures[i] = p.waitFor(ctx, t)
			end(failures[i])
			if failures[i] != nil {
				time.AfterFunc(afterFailure, func() { cancel(errOtherFailed) })
			}
		})
	}
	all.Wait()
	return errors.Join(failures...)
}

// watcher sees one workload with its pods.
type watcher struct {
	target      *target
	object      cache.SharedIndexInformer
	pods        cache.SharedIndexInformer
	replicaSets cache.SharedIndexInformer
	changed     chan struct{}
	// since is when each problem was first seen, with its first message.
	since map[string]seen
}

type seen struct {
	at time.Time
	problem
}

func (p *Plan) waitFor(ctx context.Context, t *target) error {
	timeout := t.timeout()
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, &RolloutError{NotInTime: true})
	defer cancel()
	w, stop, err := p.watch(ctx, t)
	if err != nil {
		return err
	}
	defer stop()
	for {
		next, done, failure := w.look(time.Now())
		if failure != nil {
			return p.diagnose(ctx, t, failure)
		}
		if done {
			return nil
		}
		timer := time.NewTimer(next)
		select {
		case <-w.changed:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return p.ended(ctx, w, timeout)
		}
		timer.Stop()
	}
}

// ended tells a timeout, with what was still missing, from an interruption.
func (p *Plan) ended(ctx context.Context, w *watcher, timeout time.Duration) error {
	cause := context.Cause(ctx)
	var late *RolloutError
	if !errors.As(cause, &late) {
		return fmt.Errorf("wait for %s in namespace %s: %w", w.target.ref, w.target.ref.namespace, cause)
	}
	return p.diagnose(ctx, w.target, w.late(timeout))
}

// timeout is the longest that one of the workload's images asks for.
func (t *target) timeout() time.Duration {
	longest := time.Duration(0)
	for _, image := range t.images {
		longest = max(longest, image.Timeout)
	}
	return longest
}

// maxRestarts is the largest that one of the images asks for; 0 is never.
func (t *target) maxRestarts() int {
	most := 0
	for _, image := range t.images {
		if image.MaxRestarts == 0 {
			return 0
		}
		most = max(most, image.MaxRestarts)
	}
	return most
}

// watch starts to watch; informers list once, and watch again by themselves
// when a watch expires or the API server restarts.
func (p *Plan) watch(ctx context.Context, t *target) (*watcher, func(), error) {
	selector, err := metav1.LabelSelectorAsSelector(t.object.selector)
	if err != nil {
		return nil, nil, fmt.Errorf("selector of %s: %w", t.ref, err)
	}
	byName := func(o *metav1.ListOptions) { o.FieldSelector = fields.OneTermEqualSelector("metadata.name", t.ref.name).String() }
	byLabel := func(o *metav1.ListOptions) { o.LabelSelector = selector.String() }
	api := clientFor(p.api, t.ref)
	w := &watcher{target: t, changed: make(chan struct{}, 1), since: map[string]seen{}}
	w.object = informer(p.api, api.list, api.watch, byName, api.empty)
	pods := wrap(p.api.CoreV1().Pods(t.ref.namespace), &corev1.Pod{})
	w.pods = informer(p.api, pods.list, pods.watch, byLabel, pods.empty)
	informers := []cache.SharedIndexInformer{w.object, w.pods}
	if t.ref.kind == deployment {
		sets := wrap(p.api.AppsV1().ReplicaSets(t.ref.namespace), &appsv1.ReplicaSet{})
		w.replicaSets = informer(p.api, sets.list, sets.watch, byLabel, sets.empty)
		informers = append(informers, w.replicaSets)
	}
	watching, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	synced := make([]cache.InformerSynced, 0, len(informers))
	for _, i := range informers {
		if _, err := i.AddEventHandler(w); err != nil {
			stop()
			return nil, nil, err
		}
		synced = append(synced, i.HasSynced)
		running.Go(func() { i.RunWithContext(watching) })
	}
	cache.WaitForCacheSync(ctx.Done(), synced...)
	return w, func() { stop(); running.Wait() }, nil
}

func informer(api kubernetes.Interface, list func(context.Context, metav1.ListOptions) (runtime.Object, error),
	watcher func(context.Context, metav1.ListOptions) (watch.Interface, error), filter func(*metav1.ListOptions), empty runtime.Object,
) cache.SharedIndexInformer {
	return cache.NewSharedIndexInformer(cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			filter(&options)
			return list(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			filter(&options)
			return watcher(ctx, options)
		},
	}, api), empty, 0, nil)
}

var _ cache.ResourceEventHandler = (*watcher)(nil)

// OnAdd implements cache.ResourceEventHandler.
func (w *watcher) OnAdd(any, bool) { w.wake() }

// OnUpdate implements cache.ResourceEventHandler.
func (w *watcher) OnUpdate(any, any) { w.wake() }

// OnDelete implements cache.ResourceEventHandler.
func (w *watcher) OnDelete(any) { w.wake() }

func (w *watcher) wake() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}
