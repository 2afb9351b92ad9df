package rollout

import (
	"context"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// Used is a workload, or a pod that belongs to none, with what its
// pods are to run and do run.
type Used struct {
	// Name as kubectl prints it, like deployment.apps/datastorage.
	Name string
	Kind kube.Kind
	// Namespace that it is in.
	Namespace string
	// Consumer whose mark it has, "" for none.
	Consumer string
	// Template is what new pods are made of.
	Template corev1.PodTemplateSpec
	// Phase of a Job or CronJob, "" of others.
	Phase string
	// FailedJob is the name of a Job that has failed, or of the last of a CronJob if that
	// has; Failure is what its controller says of that. "" for none.
	FailedJob, Failure string
	// Wanted is how many pods of its newest template there are to be; 0 where that is
	// not said.
	Wanted int
	// Updated are those that exist of its newest template and are available; less
	// than Wanted, or less than there are at all, means that a rollout goes on.
	Updated int
	// Settled: its rollout is done, by what deploy goes by.
	Settled bool
	// Pods that belong to it and have not ended.
	Pods []UsedPod
	// revision is the newest of a StatefulSet, by the label of its pods.
	revision string
}

// UsedPod is a pod of a workload.
type UsedPod struct {
	Name string
	Node string
	// Containers are those that were started, by name.
	Containers map[string]UsedContainer
	pod        *corev1.Pod
}

// UsedContainer is a container that was started.
type UsedContainer struct {
	// ID as the CRI has it; Image is what the pod's spec asked for, ImageID what its status says
	// that it runs.
	ID, Image, ImageID string
	Ready              bool
}

// Usage lists the workloads of all namespaces and their pods: one list call for each
// kind. Who may not list all namespaces sees the one given; kinds that may not be
// listed even there are left out and returned as unseen.
func Usage(ctx context.Context, api kube.API, namespace string) (used []*Used, unseen Unseen, err error) {
	u := newUsage()
	unseen.Kinds, err = u.list(ctx, api, namespace)
	unseen.OtherNamespaces = u.oneNamespace
	return u.all, unseen, err
}

// Unseen is what may not be listed.
type Unseen struct {
	// Kinds like deployments.
	Kinds []string
	// OtherNamespaces than the one that was asked for.
	OtherNamespaces bool
}

// list asks for each kind, pods last.
func (u *usage) list(ctx context.Context, api kube.API, namespace string) (unseen []string, err error) {
	seen, err := eachKind(ctx, api, namespace, u.withReplicaSets, func() { u.keepOnly(namespace) },
		func(k kube.Kind, listed runtime.Object) error {
			if pods, ok := listed.(*corev1.PodList); ok {
				u.pods(pods)
				return nil
			}
			return meta.EachListItem(listed, func(raw runtime.Object) error { return u.add(k, raw) })
		})
	u.oneNamespace = seen.OtherNamespaces
	return seen.Kinds, err
}

// eachKind lists each kind in all namespaces, pods last. Who may not sees the one namespace,
// and narrowed is called before its objects come.
func eachKind(ctx context.Context, api kube.API, namespace string, replicaSets bool, narrowed func(),
	each func(kube.Kind, runtime.Object) error,
) (unseen Unseen, err error) {
	of := metav1.NamespaceAll
	for _, k := range kube.Kinds() {
		if k == kube.ReplicaSet && !replicaSets {
			continue
		}
		listed, err := k.Client(api, of).List(ctx, metav1.ListOptions{})
		if apierrors.IsForbidden(err) && of == metav1.NamespaceAll {
			of, unseen.OtherNamespaces = namespace, true
			narrowed()
			listed, err = k.Client(api, of).List(ctx, metav1.ListOptions{})
		}
		switch {
		case apierrors.IsForbidden(err):
			unseen.Kinds = append(unseen.Kinds, k.Plural())
		case err != nil:
			return unseen, kube.ExplainAPI("list "+k.Plural(), err)
		default:
			if err := each(k, listed); err != nil {
				return unseen, err
			}
		}
	}
	return unseen, nil
}

// usage gathers.
type usage struct {
	all   []*Used
	byKey map[string]*Used
	// lastEnded are the last Jobs of CronJobs that have ended, by NAMESPACE/NAME of these.
	lastEnded map[string]*batchv1.Job
	// live are all pods that have not ended.
	live []*corev1.Pod
	// withReplicaSets: those of their own, too, also without any pod.
	withReplicaSets bool
	// oneNamespace is set where others may not be seen.
	oneNamespace bool
}

func newUsage() *usage {
	return &usage{byKey: map[string]*Used{}, lastEnded: map[string]*batchv1.Job{}}
}

// keepOnly forgets the workloads of other namespaces: not all that belongs to them is seen.
func (u *usage) keepOnly(namespace string) {
	u.all = slices.DeleteFunc(u.all, func(one *Used) bool { return one.Namespace != namespace })
	maps.DeleteFunc(u.byKey, func(_ string, one *Used) bool { return one.Namespace != namespace })
}

// add notes a workload, as its rollout is judged.
func (u *usage) add(k kube.Kind, raw runtime.Object) error {
	o, err := kube.AsObject(raw)
	if err != nil {
		return err
	}
	if k.MadeByOthers() && metav1.GetControllerOf(o.Meta) != nil {
		// A Deployment's ReplicaSet is a part of it, and what a CronJob has made runs to its
		// end with what it was made with.
		u.noteEnded(o)
		return nil
	}
	rollout := judgeStatus(o)
	one := &Used{
		Name: kube.Reference{Kind: k, Name: o.Meta.Name}.String(), Kind: k, Namespace: o.Meta.Namespace,
		Consumer: o.Meta.Annotations[kube.ConsumerAnnotation], Template: *o.Template, Phase: rollout.phase,
		Wanted: int(rollout.pods), Updated: int(rollout.updated), Settled: rollout.done || rollout.phase != "",
	}
	switch raw := o.Object.(type) {
	case *appsv1.StatefulSet:
		one.revision = raw.Status.UpdateRevision
	case *batchv1.Job:
		one.noteFailed(raw)
	case *batchv1.CronJob:
		u.noteLastFailed(raw, one)
	}
	u.all = append(u.all, one)
	u.byKey[one.Namespace+"/"+one.Name] = one
	return nil
}
