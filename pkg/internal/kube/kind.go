package kube

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Kind is a kind of workload that can be deployed to.
type Kind string

// The kinds, as users type them.
const (
	Deployment  Kind = "deployment"
	StatefulSet Kind = "statefulset"
	DaemonSet   Kind = "daemonset"
	ReplicaSet  Kind = "replicaset"
	Job         Kind = "job"
	CronJob     Kind = "cronjob"
	Pod         Kind = "pod"
)

// traits are all that differs from kind to kind, except when a rollout is done.
type traits struct {
	kind Kind
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
	client func(API, string) Client
	view   func(runtime.Object) (Object, bool)
}

var (
	apps, batch = appsv1.SchemeGroupVersion, batchv1.SchemeGroupVersion
	podTemplate = []string{"spec", "template"}
)

// kinds has them in the order in which people are told of them.
var kinds = []traits{
	{
		kind: Deployment, short: "deploy", gvk: apps.WithKind("Deployment"), template: podTemplate,
		empty:  &appsv1.Deployment{},
		client: func(a API, n string) Client { return NewClient(a.AppsV1().Deployments(n), &appsv1.Deployment{}) },
		view: viewOf(func(d *appsv1.Deployment) Object {
			return Object{d, &d.ObjectMeta, &d.Spec.Template, d.Spec.Selector}
		}),
	},
	{
		kind: StatefulSet, short: "sts", gvk: apps.WithKind("StatefulSet"), template: podTemplate,
		empty:  &appsv1.StatefulSet{},
		client: func(a API, n string) Client { return NewClient(a.AppsV1().StatefulSets(n), &appsv1.StatefulSet{}) },
		view: viewOf(func(s *appsv1.StatefulSet) Object {
			return Object{s, &s.ObjectMeta, &s.Spec.Template, s.Spec.Selector}
		}),
	},
	{
		kind: DaemonSet, short: "ds", gvk: apps.WithKind("DaemonSet"), template: podTemplate,
		empty:  &appsv1.DaemonSet{},
		client: func(a API, n string) Client { return NewClient(a.AppsV1().DaemonSets(n), &appsv1.DaemonSet{}) },
		view: viewOf(func(d *appsv1.DaemonSet) Object {
			return Object{d, &d.ObjectMeta, &d.Spec.Template, d.Spec.Selector}
		}),
	},
	{
		kind: ReplicaSet, short: "rs", gvk: apps.WithKind("ReplicaSet"), template: podTemplate, made: true,
		empty:  &appsv1.ReplicaSet{},
		client: func(a API, n string) Client { return NewClient(a.AppsV1().ReplicaSets(n), &appsv1.ReplicaSet{}) },
		view: viewOf(func(s *appsv1.ReplicaSet) Object {
			return Object{s, &s.ObjectMeta, &s.Spec.Template, s.Spec.Selector}
		}),
	},
	{
		kind: Job, gvk: batch.WithKind("Job"), template: podTemplate, made: true, replaceable: true,
		empty:  &batchv1.Job{},
		client: func(a API, n string) Client { return NewClient(a.BatchV1().Jobs(n), &batchv1.Job{}) },
		view: viewOf(func(j *batchv1.Job) Object {
			return Object{j, &j.ObjectMeta, &j.Spec.Template, j.Spec.Selector}
		}),
	},
	{
		kind: CronJob, short: "cj", gvk: batch.WithKind("CronJob"),
		template: append([]string{"spec", "jobTemplate"}, podTemplate...),
		empty:    &batchv1.CronJob{},
		client:   func(a API, n string) Client { return NewClient(a.BatchV1().CronJobs(n), &batchv1.CronJob{}) },
		// Its pods are its Jobs'.
		view: viewOf(func(c *batchv1.CronJob) Object {
			return Object{c, &c.ObjectMeta, &c.Spec.JobTemplate.Spec.Template, nil}
		}),
	},
	{
		kind: Pod, short: "po", gvk: corev1.SchemeGroupVersion.WithKind("Pod"), made: true, replaceable: true,
		empty:  &corev1.Pod{},
		client: func(a API, n string) Client { return NewClient(a.CoreV1().Pods(n), &corev1.Pod{}) },
		view: viewOf(func(p *corev1.Pod) Object {
			return Object{p, &p.ObjectMeta, &corev1.PodTemplateSpec{ObjectMeta: p.ObjectMeta, Spec: p.Spec}, nil}
		}),
	},
}

// viewOf is a view of objects of its type.
func viewOf[T runtime.Object](view func(T) Object) func(runtime.Object) (Object, bool) {
	return func(raw runtime.Object) (o Object, ok bool) {
		typed, ok := raw.(T)
		if !ok {
			return o, false
		}
		return view(typed), true
	}
}

// Kinds are all, in the order in which people are told of them.
func Kinds() []Kind {
	all := make([]Kind, 0, len(kinds))
	for _, of := range kinds {
		all = append(all, of.kind)
	}
	return all
}

func (k Kind) traits() traits {
	for _, of := range kinds {
		if of.kind == k {
			return of
		}
	}
	return traits{}
}

// KindOf is the kind that objects call so, "" for what is no workload.
func KindOf(name schema.GroupKind) Kind {
	for _, of := range kinds {
		if name.Group == of.gvk.Group && strings.EqualFold(name.Kind, of.gvk.Kind) {
			return of.kind
		}
	}
	return ""
}

// MadeByOthers tells whether other workloads make objects of the kind.
func (k Kind) MadeByOthers() bool { return k.traits().made }

// Replaceable tells whether objects of the kind are deleted and made anew where they
// cannot be changed.
func (k Kind) Replaceable() bool { return k.traits().replaceable }

// GroupVersionKind is the kind as objects name it.
func (k Kind) GroupVersionKind() schema.GroupVersionKind { return k.traits().gvk }

// TemplatePath leads to what has metadata and spec of the pods. It is nil for a Pod.
func (k Kind) TemplatePath() []string { return slices.Clone(k.traits().template) }

// Plural is the kind as the API has it: deployments.
func (k Kind) Plural() string { return string(k) + "s" }

// Full is the kind with its group, as kubectl prints it.
func (k Kind) Full() string { return strings.TrimSuffix(string(k)+"."+k.traits().gvk.Group, ".") }

// spellings are what kubectl takes for the kind.
func (k Kind) spellings() []string {
	one, many := string(k), k.Plural()
	all := []string{one, many}
	if short := k.traits().short; short != "" {
		all = append(all, short)
	}
	if group := k.traits().gvk.Group; group != "" {
		all = append(all, one+"."+group, many+"."+group, one+".v1."+group, many+".v1."+group)
	}
	return all
}

// deployable lists the kinds, for errors.
func deployable() string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
