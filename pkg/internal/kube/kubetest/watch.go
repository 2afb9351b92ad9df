package kubetest

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/testing"
)

// watch tells of the objects that are asked for, at first of those that are there where
// that is asked for, too (KEP-3157, streaming lists).
func (a *API) watch(action testing.Action) (bool, watch.Interface, error) {
	asked, ok := action.(testing.WatchActionImpl)
	if !ok {
		return true, nil, fmt.Errorf("unexpected %T", action)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	events, err := a.tracker.Watch(asked.GetResource(), asked.GetNamespace(), asked.ListOptions)
	if err != nil {
		return true, nil, err
	}
	var first []watch.Event
	if send := asked.ListOptions.SendInitialEvents; send != nil && *send {
		first, err = a.first(asked)
	}
	return true, after(first, events, asked.WatchRestrictions), err
}

// chosen tells whether selectors choose an object; of fields, its name is known.
func chosen(object runtime.Object, by testing.WatchRestrictions) bool {
	of, err := meta.Accessor(object)
	if err != nil {
		return true
	}
	named := fields.Set{"metadata.name": of.GetName(), "metadata.namespace": of.GetNamespace()}
	return (by.Labels == nil || by.Labels.Matches(labels.Set(of.GetLabels()))) &&
		(by.Fields == nil || by.Fields.Matches(named))
}

// first are the events of what is there, and of the end of those.
func (a *API) first(asked testing.WatchActionImpl) ([]watch.Event, error) {
	kinds := map[string]string{
		"deployments": "Deployment", "replicasets": "ReplicaSet", "pods": "Pod",
		"configmaps": "ConfigMap", "jobs": "Job", "events": "Event", "nodes": "Node",
	}
	kind := asked.GetResource().GroupVersion().WithKind(kinds[asked.GetResource().Resource])
	there, err := a.tracker.List(asked.GetResource(), kind, asked.GetNamespace())
	if err != nil {
		return nil, err
	}
	objects, err := meta.ExtractList(there)
	if err != nil {
		return nil, err
	}
	var events []watch.Event
	for _, object := range objects {
		if chosen(object, asked.WatchRestrictions) {
			events = append(events, watch.Event{Type: watch.Added, Object: object})
		}
	}
	end, err := scheme.Scheme.New(kind)
	if err != nil {
		return nil, err
	}
	of, err := meta.Accessor(end)
	if err != nil {
		return nil, err
	}
	of.SetResourceVersion(a.next())
	of.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
	return append(events, watch.Event{Type: watch.Bookmark, Object: end}), nil
}

// after tells of the first events, then of those of the others that are chosen, until it
// is stopped.
func after(first []watch.Event, others watch.Interface, by testing.WatchRestrictions) watch.Interface {
	told := make(chan watch.Event)
	both := watch.NewProxyWatcher(told)
	go func() {
		defer close(told)
		defer others.Stop()
		tell := func(event watch.Event) bool {
			select {
			case told <- event:
				return true
			case <-both.StopChan():
				return false
			}
		}
		for _, event := range first {
			if !tell(event) {
				return
			}
		}
		for {
			select {
			case event, open := <-others.ResultChan():
				if !open || chosen(event.Object, by) && !tell(event) {
					return
				}
			case <-both.StopChan():
				return
			}
		}
	}()
	return both
}
