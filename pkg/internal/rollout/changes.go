package rollout

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// syncLimit is how long the first lists may take. Kinds that may not be watched never
// come, and the others are watched all the same.
const syncLimit = 5 * time.Second

// Changes tells when workloads, pods, or ConfigMaps with the label change, in a namespace
// or in all. It returns once it sees them, and ends with the context.
func Changes(ctx context.Context, api kube.API, namespace, configMaps string) <-chan struct{} {
	changed := make(chan struct{}, 1)
	poke := func() {
		select {
		case changed <- struct{}{}:
		default:
			// Whoever listens will look anyway.
		}
	}
	records := kube.NewClient(api.CoreV1().ConfigMaps(namespace), &corev1.ConfigMap{})
	informers := []cache.SharedIndexInformer{
		newInformer(api, records, func(o *metav1.ListOptions) { o.LabelSelector = configMaps }),
	}
	for _, k := range kube.Kinds() {
		if k != kube.ReplicaSet {
			of := k.Client(api, namespace)
			informers = append(informers, newInformer(api, of, func(*metav1.ListOptions) {}))
		}
	}
	var synced []cache.DoneChecker
	for _, informer := range informers {
		// It does not fail before the informer runs.
		_, _ = informer.AddEventHandler(cache.ResourceEventHandlerDetailedFuncs{
			AddFunc: func(_ any, first bool) {
				if !first {
					poke()
				}
			},
			UpdateFunc: func(any, any) { poke() },
			DeleteFunc: func(any) { poke() },
		})
		go informer.RunWithContext(quietly(ctx))
		synced = append(synced, informer.HasSyncedChecker())
	}
	syncing, enough := context.WithTimeout(ctx, syncLimit)
	defer enough()
	cache.WaitFor(syncing, "", synced...)
	return changed
}
