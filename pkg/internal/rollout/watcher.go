package rollout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// watcher sees one workload with its pods. Its informers list once and watch
// from there; they begin again by themselves when a watch expires or the API
// server restarts.
type watcher struct {
	api     kube.API
	target  *kube.Target
	changed chan struct{}
	// running are the informers' goroutines, which end with the context.
	running sync.WaitGroup

	object      cache.SharedIndexInformer
	pods        cache.SharedIndexInformer
	replicaSets cache.SharedIndexInformer
	// diagnostics is nil until it is needed.
	diagnostics *diagnosticWatch
	// seen is the workload as it was looked at last.
	seen any

	mu      sync.Mutex
	trouble error
	// refused is since when the API server refuses to be asked.
	refused time.Time
	// last is the workload as it was when it was deleted.
	last runtime.Object
}

func newWatcher(api kube.API, t *kube.Target) *watcher {
	return &watcher{api: api, target: t, changed: make(chan struct{}, 1)}
}

// begin returns once the workload and its pods are seen, or the context ends.
func (w *watcher) begin(ctx context.Context) error {
	t := w.target
	syncing, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	w.object = w.startInformer(ctx, giveUp, t.Ref.Client(w.api), func(o *metav1.ListOptions) {
		o.FieldSelector = kube.ByName(t.Ref.Name)
	})
	synced := []cache.DoneChecker{w.object.HasSyncedChecker()}
	if t.Object.Selector != nil {
		selector, err := metav1.LabelSelectorAsSelector(t.Object.Selector)
		if err != nil {
			return fmt.Errorf("selector of %s: %w", t.Ref.Where(), err)
		}
		byLabel := func(o *metav1.ListOptions) { o.LabelSelector = selector.String() }
		w.pods = w.startInformer(ctx, giveUp, kube.Pod.Client(w.api, t.Ref.Namespace), byLabel)
		synced = append(synced, w.pods.HasSyncedChecker())
		if t.Ref.Kind == kube.Deployment {
			w.replicaSets = w.startInformer(ctx, giveUp, kube.ReplicaSet.Client(w.api, t.Ref.Namespace), byLabel)
			synced = append(synced, w.replicaSets.HasSyncedChecker())
		}
	}
	if !cache.WaitFor(syncing, "", synced...) && ctx.Err() == nil {
		return kube.ExplainAPI("watch "+t.Ref.Where()+" and its pods", context.Cause(syncing))
	}
	return nil
}

// startInformer runs an informer until the context ends. giveUp is told of a refusal that stays.
func (w *watcher) startInformer(ctx context.Context, giveUp context.CancelCauseFunc, c kube.Client,
	filter func(*metav1.ListOptions),
) cache.SharedIndexInformer {
	informer := newInformer(w.api, c, filter)
	// Neither call fails before the informer runs.
	_ = informer.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) {
		if !errors.Is(err, io.EOF) && !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
			w.note(err)
		}
		if w.staysRefused(err) {
			giveUp(err)
		}
	})
	_, _ = informer.AddEventHandler(w)
	w.running.Go(func() { informer.RunWithContext(quietly(ctx)) })
	return informer
}

// refusedLimit is how long an API server may refuse before that is its answer: one that
// has just started refuses everybody until it has read the roles.
const refusedLimit = 5 * time.Second

// staysRefused tells whether an error is a refusal that has lasted.
func (w *watcher) staysRefused(err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !apierrors.IsForbidden(err) && !apierrors.IsUnauthorized(err) {
		w.refused = time.Time{}
		return false
	}
	if w.refused.IsZero() {
		w.refused = time.Now()
	}
	return time.Since(w.refused) >= refusedLimit
}

func (w *watcher) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trouble = err
}

// lastTrouble is why watching broke off last, nil once it goes on.
func (w *watcher) lastTrouble() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.trouble
}

// view is what the caches hold now.
func (w *watcher) view() view {
	ref := w.target.Ref
	raw, there, err := w.object.GetStore().GetByKey(ref.Namespace + "/" + ref.Name)
	if err == nil && !there {
		raw = w.lastSeen()
	}
	if err != nil || raw == nil {
		return view{}
	}
	w.seen = raw
	typed, ok := raw.(runtime.Object)
	if !ok {
		return view{}
	}
	current, err := kube.AsObject(typed)
	if err != nil {
		return view{}
	}
	v := view{object: current}
	if pod, ok := current.Object.(*corev1.Pod); ok {
		v.current = []*corev1.Pod{pod}
	} else {
		v.current, v.others = splitByRevision(current, items[*corev1.Pod](w.pods), items[*appsv1.ReplicaSet](w.replicaSets))
	}
	if w.diagnostics != nil {
		w.diagnostics.fill(&v)
	}
	return v
}

// items are what an informer holds; none where there is no informer.
func items[T any](informer cache.SharedIndexInformer) []T {
	if informer == nil {
		return nil
	}
	var all []T
	for _, item := range informer.GetStore().List() {
		if typed, ok := item.(T); ok {
			all = append(all, typed)
		}
	}
	return all
}

var _ cache.ResourceEventHandler = (*watcher)(nil)

// OnAdd implements cache.ResourceEventHandler.
func (w *watcher) OnAdd(any, bool) { w.wake() }

// OnUpdate implements cache.ResourceEventHandler.
func (w *watcher) OnUpdate(any, any) { w.wake() }

// OnDelete implements cache.ResourceEventHandler.
func (w *watcher) OnDelete(deleted any) {
	if unknown, ok := deleted.(cache.DeletedFinalStateUnknown); ok {
		deleted = unknown.Obj
	}
	if object, ok := deleted.(runtime.Object); ok && w.isTarget(object) {
		w.mu.Lock()
		w.last = object
		w.mu.Unlock()
	}
	w.wake()
}

func (w *watcher) isTarget(object runtime.Object) bool {
	o, err := kube.AsObject(object)
	return err == nil && o.Meta.UID == w.target.Object.Meta.UID
}

// lastSeen is what counts as the workload once it is deleted: the Job that was complete by
// then, as with ttlSecondsAfterFinished, else nothing. The cache lets go of it before it
// tells what it last was; until then it counts as it was seen.
func (w *watcher) lastSeen() any {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last == nil {
		return w.seen
	}
	if j, ok := w.last.(*batchv1.Job); ok && kube.JobCondition(j, batchv1.JobComplete) != nil {
		return j
	}
	return nil
}

func (w *watcher) wake() {
	w.note(nil)
	select {
	case w.changed <- struct{}{}:
	default:
	}
}
