package workload

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// kind is a kind of workload that can be deployed to, as users type it.
type kind string

const (
	deployment  kind = "deployment"
	statefulSet kind = "statefulset"
	daemonSet   kind = "daemonset"
	replicaSet  kind = "replicaset"
	job         kind = "job"
	cronJob     kind = "cronjob"
	barePod     kind = "pod"
)

// row is all that differs from kind to kind, except when a rollout is done.
type row struct {
	kind kind
	// short is kubectl's short name, "" for none.
	short string
	gvk   schema.GroupVersionKind
	// template leads to what has metadata and spec of the pods; a Pod has them itself.
	template []string
	// made: other workloads make objects of the kind.
	made bool
	// replaceable: what cannot be changed is deleted and made anew.
	replaceable bool
	// empty is an object of the kind, client its API in a namespace, and view what all
	// kinds have in common.
	empty  runtime.Object
	client func(API, string) client
	view   func(runtime.Object) (object, bool)
}

var (
	apps, batch = appsv1.SchemeGroupVersion, batchv1.SchemeGroupVersion
	podTemplate = []string{"spec", "template"}
)

// table has the kinds in the order in which people are told of them.
var table = []row{
	{
		kind: deployment, short: "deploy", gvk: apps.WithKind("Deployment"), template: podTemplate,
		empty:  &appsv1.Deployment{},
		client: func(a API, n string) client { return wrap(a.AppsV1().Deployments(n), &appsv1.Deployment{}) },
		view: viewOf(func(d *appsv1.Deployment) object {
			return object{d, &d.ObjectMeta, &d.Spec.Template, d.Spec.Selector}
		}),
	},
	{
		kind: statefulSet, short: "sts", gvk: apps.WithKind("StatefulSet"), template: podTemplate,
		empty:  &appsv1.StatefulSet{},
		client: func(a API, n string) client { return wrap(a.AppsV1().StatefulSets(n), &appsv1.StatefulSet{}) },
		view: viewOf(func(s *appsv1.StatefulSet) object {
			return object{s, &s.ObjectMeta, &s.Spec.Template, s.Spec.Selector}
		}),
	},
	{
		kind: daemonSet, short: "ds", gvk: apps.WithKind("DaemonSet"), template: podTemplate,
		empty:  &appsv1.DaemonSet{},
		client: func(a API, n string) client { return wrap(a.AppsV1().DaemonSets(n), &appsv1.DaemonSet{}) },
		view: viewOf(func(d *appsv1.DaemonSet) object {
			return object{d, &d.ObjectMeta, &d.Spec.Template, d.Spec.Selector}
		}),
	},
	{
		kind: replicaSet, short: "rs", gvk: apps.WithKind("ReplicaSet"), template: podTemplate, made: true,
		empty:  &appsv1.ReplicaSet{},
		client: func(a API, n string) client { return wrap(a.AppsV1().ReplicaSets(n), &appsv1.ReplicaSet{}) },
		view: viewOf(func(s *appsv1.ReplicaSet) object {
			return object{s, &s.ObjectMeta, &s.Spec.Template, s.Spec.Selector}
		}),
	},
	{
		kind: job, gvk: batch.WithKind("Job"), template: podTemplate, made: true, replaceable: true,
		empty:  &batchv1.Job{},
		client: func(a API, n string) client { return wrap(a.BatchV1().Jobs(n), &batchv1.Job{}) },
		view: viewOf(func(j *batchv1.Job) object {
			return object{j, &j.ObjectMeta, &j.Spec.Template, j.Spec.Selector}
		}),
	},
	{
		kind: cronJob, short: "cj", gvk: batch.WithKind("CronJob"),
		template: append([]string{"spec", "jobTemplate"}, podTemplate...),
		empty:    &batchv1.CronJob{},
		client:   func(a API, n string) client { return wrap(a.BatchV1().CronJobs(n), &batchv1.CronJob{}) },
		// Its pods are its Jobs'.
		view: viewOf(func(c *batchv1.CronJob) object {
			return object{c, &c.ObjectMeta, &c.Spec.JobTemplate.Spec.Template, nil}
		}),
	},
	{
		kind: barePod, short: "po", gvk: corev1.SchemeGroupVersion.WithKind("Pod"), made: true, replaceable: true,
		empty:  &corev1.Pod{},
		client: func(a API, n string) client { return wrap(a.CoreV1().Pods(n), &corev1.Pod{}) },
		view: viewOf(func(p *corev1.Pod) object {
			return object{p, &p.ObjectMeta, &corev1.PodTemplateSpec{ObjectMeta: p.ObjectMeta, Spec: p.Spec}, nil}
		}),
	},
}

// viewOf is a view of objects of its type.
func viewOf[T runtime.Object](view func(T) object) func(runtime.Object) (object, bool) {
	return func(raw runtime.Object) (o object, ok bool) {
		typed, ok := raw.(T)
		if !ok {
			return o, false
		}
		return view(typed), true
	}
}

func kinds() []kind {
	all := make([]kind, 0, len(table))
	for _, r := range table {
		all = append(all, r.kind)
	}
	return all
}

func (k kind) row() row {
	for _, r := range table {
		if r.kind == k {
			return r
		}
	}
	return row{}
}

// kindOf is the kind that objects call so, "" for what is no workload.
func kindOf(name schema.GroupKind) kind {
	for _, r := range table {
		if name.Group == r.gvk.Group && strings.EqualFold(name.Kind, r.gvk.Kind) {
			return r.kind
		}
	}
	return ""
}

// madeByOthers tells whether other workloads make objects of the kind.
func (k kind) madeByOthers() bool { return k.row().made }

// replaceable tells whether objects of the kind are deleted and made anew where they
// cannot be changed.
func (k kind) replaceable() bool { return k.row().replaceable }

// version is the kind as objects name it.
func (k kind) version() schema.GroupVersionKind { return k.row().gvk }

// templatePath leads to what has metadata and spec of the pods. It is nil for a Pod.
func (k kind) templatePath() []string { return slices.Clone(k.row().template) }

// plural is the kind as the API has it: deployments.
func (k kind) plural() string { return string(k) + "s" }

// full is the kind with its group, as kubectl prints it.
func (k kind) full() string { return strings.TrimSuffix(string(k)+"."+k.row().gvk.Group, ".") }

// spellings are what kubectl takes for the kind.
func (k kind) spellings() []string {
	one, many := string(k), k.plural()
	all := []string{one, many}
	if short := k.row().short; short != "" {
		all = append(all, short)
	}
	if group := k.row().gvk.Group; group != "" {
		all = append(all, one+"."+group, many+"."+group, one+".v1."+group, many+".v1."+group)
	}
	return all
}

// deployable lists the kinds, for errors.
func deployable() string {
	var names []string
	for _, k := range kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
