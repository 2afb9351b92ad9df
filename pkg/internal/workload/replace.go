package workload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// replaceLimit bounds how long what is replaced has to go, where the rollout has
// no time of its own.
const replaceLimit = 5 * time.Minute

// fixed says why the workload cannot be made right as it is, "" if it can.
func (t *target) fixed() string {
	switch o := t.object.Object.(type) {
	case *batchv1.Job:
		if t.patch != nil && t.patch.Spec != nil {
			return "the pod template of a Job cannot be changed"
		}
	case *corev1.Pod:
		return t.fixedPod(o)
	}
	return ""
}

// fixedPod: of a Pod that lives only the images of its containers can be changed,
// and only another image makes the kubelet start one anew.
func (t *target) fixedPod(pod *corev1.Pod) string {
	if t.patch == nil || t.patch.Spec == nil {
		return ""
	}
	if ended(pod) {
		return "the Pod has ended"
	}
	spec := t.patch.Spec.Template.Spec
	if spec == nil {
		return "the Pod runs other content of the same name"
	}
	if len(spec.InitContainers) > 0 {
		return "the init containers of a Pod run only once"
	}
	for _, container := range spec.Containers {
		if container.ImagePullPolicy != "" {
			return "the pull policy of a Pod cannot be changed"
		}
	}
	return ""
}

// failedForGood tells whether a Job or Pod is right but will never run again.
func (o object) failedForGood() bool {
	switch raw := o.Object.(type) {
	case *batchv1.Job:
		return jobCondition(raw, batchv1.JobFailed) != nil
	case *corev1.Pod:
		return raw.Status.Phase == corev1.PodFailed
	}
	return false
}

// decideReplacing finds out whether the workload has to be made anew, which is an
// error unless it was asked for.
func (p *Plan) decideReplacing(t *target) error {
	why := t.fixed()
	t.replacing = why != "" || p.options.Replace && t.object.failedForGood()
	if why == "" || p.options.Replace {
		return nil
	}
	return fmt.Errorf("%s: %s, so nothing was changed\nhave it deleted and made anew with --replace", t.ref.where(), why)
}

// replace deletes the workload and makes it anew with its images. Once it is
// deleted this is not cut short: an interrupted run must not leave nothing behind.
func (p *Plan) replace(ctx context.Context, t *target) error {
	if p.options.DryRun == DryRunServer {
		return p.remove(ctx, t, []string{metav1.DryRunAll})
	}
	fresh := t.anew()
	return p.remake(ctx, t, func(ctx context.Context) error {
		raw, err := clientFor(p.api, t.ref).create(ctx, fresh, metav1.CreateOptions{FieldManager: fieldManager})
		if err != nil {
			return err
		}
		t.patched = true
		t.object, err = asObject(raw)
		return err
	})
}

// remake deletes the workload and has it created; if that fails it is made as it
// was.
func (p *Plan) remake(ctx context.Context, t *target, create func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cmp.Or(t.timeout(), replaceLimit))
	defer cancel()
	if err := p.remove(ctx, t, nil); err != nil {
		return err
	}
	err := create(ctx)
	if err == nil {
		return nil
	}
	err = explainAPI("make "+t.ref.where()+" anew", err)
	if _, failed := clientFor(p.api, t.ref).create(ctx, stripped(t.object).Object, metav1.CreateOptions{FieldManager: fieldManager}); failed != nil {
		return fmt.Errorf("%w\nit is deleted now, and making it as it was failed, too: %w", err, failed)
	}
	return fmt.Errorf("%w\nit was made again as it was", err)
}

// remove deletes a workload and its pods, and watches until it is gone.
func (p *Plan) remove(ctx context.Context, t *target, dryRun []string) error {
	c, ref, was := clientFor(p.api, t.ref), t.ref, t.object.meta
	options := metav1.DeleteOptions{
		Preconditions:     &metav1.Preconditions{UID: &was.UID},
		PropagationPolicy: new(metav1.DeletePropagationForeground), DryRun: dryRun,
	}
	if err := c.remove(ctx, ref.name, options); err != nil && !apierrors.IsNotFound(err) {
		return explainAPI("delete "+ref.where(), err)
	}
	if dryRun != nil {
		return nil
	}
	byName := func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector("metadata.name", ref.name).String()
	}
	another := func(raw runtime.Object) bool {
		o, err := asObject(raw)
		return err == nil && o.meta.UID != was.UID
	}
	_, err := watchtools.UntilWithSync(ctx, cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			byName(&options)
			return c.list(ctx, options)
		},
		WatchFuncWithContext: c.filteredWatch(byName),
	}, p.api), c.empty, func(store cache.Store) (bool, error) {
		raw, there, err := store.GetByKey(ref.namespace + "/" + ref.name)
		typed, ok := raw.(runtime.Object)
		return !there || ok && another(typed), err
	}, func(event watch.Event) (bool, error) {
		return event.Type == watch.Deleted || another(event.Object), nil
	})
	if err != nil {
		return fmt.Errorf("%s is being deleted, but not gone yet: %w\nlook what holds it: kubectl get %s -n %s -o yaml; then deploy again",
			ref.where(), errors.Join(err, context.Cause(ctx)), ref.typed(), ref.namespace)
	}
	return nil
}

// anew is the workload as it is to be made: with its images, and without what the
// API server and the controllers wrote.
func (t *target) anew() runtime.Object {
	fresh := stripped(t.object)
	if t.patch == nil || t.patch.Spec == nil {
		return fresh.Object
	}
	images := map[string]assignment{}
	annotations := map[string]string{ConsumerAnnotation: t.patch.Metadata.Annotations[ConsumerAnnotation]}
	for _, a := range t.assigned {
		images[a.container.Name] = a
	}
	fresh.annotate(annotations, t.patch.Spec.Template.Metadata.Annotations)
	spec := fresh.podSpec()
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			if a, ok := images[containers[i].Name]; ok {
				containers[i].Image, containers[i].ImagePullPolicy = a.image.Image, a.policy()
			}
		}
	}
	return fresh.Object
}

// podSpec is the spec that can be written to, which that of template is not for a
// Pod.
func (o object) podSpec() *corev1.PodSpec {
	if pod, ok := o.Object.(*corev1.Pod); ok {
		return &pod.Spec
	}
	return &o.template.Spec
}

// annotate adds annotations to the workload and to its template.
func (o object) annotate(workload, template map[string]string) {
	add := func(to *metav1.ObjectMeta, more map[string]string) {
		for key, value := range more {
			metav1.SetMetaDataAnnotation(to, key, value)
		}
	}
	add(o.meta, workload)
	if _, ok := o.Object.(*corev1.Pod); ok {
		add(o.meta, template)
		return
	}
	add(&o.template.ObjectMeta, template)
}
