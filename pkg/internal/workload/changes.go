package workload

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// syncLimit is how long the first lists may take. Kinds that may not be watched never
// come, and the others are watched all the same.
const syncLimit = 5 * time.Second

// Changes tells when workloads, pods, or ConfigMaps with the label change, in a namespace
// or in all. It returns once it sees them, and ends with the context.
func Changes(ctx context.Context, api API, namespace, configMaps string) <-chan struct{} {
	changed := make(chan struct{}, 1)
	poke := func() {
		select {
		case changed <- struct{}{}:
		default:
			// Whoever listens will look anyway.
		}
	}
	all := func(*metav1.ListOptions) {}
	watched := []struct {
		client client
		filter func(*metav1.ListOptions)
	}{
		{wrap(api.CoreV1().ConfigMaps(namespace), &corev1.ConfigMap{}), func(o *metav1.ListOptions) {
			o.LabelSelector = configMaps
		}},
		{wrap(api.AppsV1().Deployments(namespace), &appsv1.Deployment{}), all},
		{wrap(api.AppsV1().StatefulSets(namespace), &appsv1.StatefulSet{}), all},
		{wrap(api.AppsV1().DaemonSets(namespace), &appsv1.DaemonSet{}), all},
		{wrap(api.BatchV1().Jobs(namespace), &batchv1.Job{}), all},
		{wrap(api.BatchV1().CronJobs(namespace), &batchv1.CronJob{}), all},
		{wrap(api.CoreV1().Pods(namespace), &corev1.Pod{}), all},
	}
	var synced []cache.DoneChecker
	for _, w := range watched {
		informer := cache.NewSharedIndexInformer(cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
				w.filter(&options)
				return w.client.list(ctx, options)
			},
			WatchFuncWithContext: w.client.filteredWatch(w.filter),
		}, api), w.client.empty, 0, nil)
		_, _ = informer.AddEventHandler(cache.ResourceEventHandlerDetailedFuncs{
			AddFunc: func(_ any, first bool) {
				if !first {
					poke()
				}
			},
			UpdateFunc: func(any, any) { poke() },
			DeleteFunc: func(any) { poke() },
		})
		// What client-go has to tell is for -v, not for everyone's stderr.
		quiet := klog.NewContext(ctx, klog.FromContext(ctx).V(4))
		go informer.RunWithContext(quiet)
		synced = append(synced, informer.HasSyncedChecker())
	}
	syncing, enough := context.WithTimeout(ctx, syncLimit)
	defer enough()
	cache.WaitFor(syncing, "", synced...)
	return changed
}
