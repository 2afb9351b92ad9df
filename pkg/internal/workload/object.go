package workload

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// object is one workload, whatever its kind.
type object struct {
	runtime.Object
	meta *metav1.ObjectMeta
	// template of its pods; a Pod is its own.
	template *corev1.PodTemplateSpec
	// selector of its pods, nil for a Pod and for a CronJob, whose pods are its
	// Jobs'.
	selector *metav1.LabelSelector
}

func asObject(raw runtime.Object) (object, error) {
	switch o := raw.(type) {
	case *appsv1.Deployment:
		return object{o, &o.ObjectMeta, &o.Spec.Template, o.Spec.Selector}, nil
	case *appsv1.StatefulSet:
		return object{o, &o.ObjectMeta, &o.Spec.Template, o.Spec.Selector}, nil
	case *appsv1.DaemonSet:
		return object{o, &o.ObjectMeta, &o.Spec.Template, o.Spec.Selector}, nil
	case *appsv1.ReplicaSet:
		return object{o, &o.ObjectMeta, &o.Spec.Template, o.Spec.Selector}, nil
	case *batchv1.Job:
		return object{o, &o.ObjectMeta, &o.Spec.Template, o.Spec.Selector}, nil
	case *batchv1.CronJob:
		return object{o, &o.ObjectMeta, &o.Spec.JobTemplate.Spec.Template, nil}, nil
	case *corev1.Pod:
		return object{o, &o.ObjectMeta, &corev1.PodTemplateSpec{ObjectMeta: o.ObjectMeta, Spec: o.Spec}, nil}, nil
	}
	return object{}, fmt.Errorf("%T is no workload that can be deployed to", raw)
}

// paused tells whether its controller ignores changes of the template.
func (o object) paused() bool {
	d, ok := o.Object.(*appsv1.Deployment)
	return ok && d.Spec.Paused
}

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

// filteredWatch is watch with a selector.
func (c client) filteredWatch(
	filter func(*metav1.ListOptions),
) func(context.Context, metav1.ListOptions) (watch.Interface, error) {
	return func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
		filter(&options)
		return c.watch(ctx, options)
	}
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

func clientFor(api API, ref reference) client {
	switch ref.kind {
	case statefulSet:
		return wrap(api.AppsV1().StatefulSets(ref.namespace), &appsv1.StatefulSet{})
	case daemonSet:
		return wrap(api.AppsV1().DaemonSets(ref.namespace), &appsv1.DaemonSet{})
	case replicaSet:
		return wrap(api.AppsV1().ReplicaSets(ref.namespace), &appsv1.ReplicaSet{})
	case job:
		return wrap(api.BatchV1().Jobs(ref.namespace), &batchv1.Job{})
	case cronJob:
		return wrap(api.BatchV1().CronJobs(ref.namespace), &batchv1.CronJob{})
	case barePod:
		return wrap(api.CoreV1().Pods(ref.namespace), &corev1.Pod{})
	default:
		return wrap(api.AppsV1().Deployments(ref.namespace), &appsv1.Deployment{})
	}
}

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
