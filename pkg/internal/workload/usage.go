package workload

import (
	"context"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Used is a workload, or a pod that belongs to none, with what its
// pods are to run and do run.
type Used struct {
	// Name as kubectl prints it, like deployment.apps/datastorage.
	Name string
	// Namespace that it is in.
	Namespace string
	// Consumer whose mark it has, "" for none.
	Consumer string
	// Template is what new pods are made of.
	Template corev1.PodTemplateSpec
	// Phase of a Job or CronJob, "" of others.
	Phase string
	// Wanted is how many pods of its newest template there are to be; 0 where that is
	// not said.
	Wanted int
	// Updated are those that exist of its newest template and are available; less
	// than Wanted, or less than there are at all, means that a rollout goes on.
	Updated int
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
	// ID as the CRI has it; Image is what the pod's spec asked for.
	ID, Image string
	Ready     bool
}

// Usage lists the workloads of all namespaces and their pods: one list call for each
// kind. Who may not list all namespaces sees the one given; kinds that may not be
// listed even there are left out and returned as unseen.
func Usage(ctx context.Context, api API, namespace string) (used []*Used, unseen Unseen, err error) {
	u := &usage{byKey: map[string]*Used{}}
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

// list makes the calls.
func (u *usage) list(ctx context.Context, api API, namespace string) (unseen []string, err error) {
	options, of := metav1.ListOptions{}, metav1.NamespaceAll
	lists := []struct {
		kind string
		do   func() error
	}{
		{"deployments", func() error { return u.deployments(api.AppsV1().Deployments(of).List(ctx, options)) }},
		{"statefulsets", func() error { return u.statefulSets(api.AppsV1().StatefulSets(of).List(ctx, options)) }},
		{"daemonsets", func() error { return u.daemonSets(api.AppsV1().DaemonSets(of).List(ctx, options)) }},
		{"replicasets", func() error { return u.replicaSets(api.AppsV1().ReplicaSets(of).List(ctx, options)) }},
		{"jobs", func() error { return u.jobs(api.BatchV1().Jobs(of).List(ctx, options)) }},
		{"cronjobs", func() error { return u.cronJobs(api.BatchV1().CronJobs(of).List(ctx, options)) }},
		{"pods", func() error { return u.pods(api.CoreV1().Pods(of).List(ctx, options)) }},
	}
	for _, list := range lists {
		if list.kind == "replicasets" && !u.withReplicaSets {
			continue
		}
		err := list.do()
		if apierrors.IsForbidden(err) && of == metav1.NamespaceAll {
			of = namespace
			u.only(namespace)
			err = list.do()
		}
		switch {
		case apierrors.IsForbidden(err):
			unseen = append(unseen, list.kind)
		case err != nil:
			return nil, explainAPI("list "+list.kind, err)
		}
	}
	u.oneNamespace = of != metav1.NamespaceAll
	return unseen, nil
}

// usage gathers.
type usage struct {
	all   []*Used
	byKey map[string]*Used
	// live are all pods that have not ended.
	live []*corev1.Pod
	// withReplicaSets: those of their own, too, also without any pod.
	withReplicaSets bool
	// oneNamespace is set where others may not be seen.
	oneNamespace bool
}

// only forgets the workloads of other namespaces: not all that belongs to them is seen.
func (u *usage) only(namespace string) {
	u.all = slices.DeleteFunc(u.all, func(one *Used) bool { return one.Namespace != namespace })
	maps.DeleteFunc(u.byKey, func(_ string, one *Used) bool { return one.Namespace != namespace })
}

func (u *usage) deployments(l *appsv1.DeploymentList, err error) error {
	if err != nil {
		return err
	}
	for i := range l.Items {
		d := &l.Items[i]
		wanted := replicas(d.Spec.Replicas)
		one := u.add("deployment.apps/", &d.ObjectMeta, d.Spec.Template, wanted)
		status := d.Status
		one.Updated = updated(status.Replicas, status.UpdatedReplicas, status.AvailableReplicas)
		one.Settled = status.ObservedGeneration >= d.Generation && one.Updated >= wanted && int(status.Replicas) == wanted
	}
	return nil
}

func (u *usage) statefulSets(l *appsv1.StatefulSetList, err error) error {
	if err != nil {
		return err
	}
	for i := range l.Items {
		s := &l.Items[i]
		// Those below its partition are to stay what they are.
		rollout := judgeStatefulSet(s)
		one := u.add("statefulset.apps/", &s.ObjectMeta, s.Spec.Template, int(rollout.pods))
		one.Updated, one.Settled, one.revision = 0, rollout.done, s.Status.UpdateRevision
	}
	return nil
}

func (u *usage) daemonSets(l *appsv1.DaemonSetList, err error) error {
	if err != nil {
		return err
	}
	for i := range l.Items {
		d := &l.Items[i]
		wanted := int(d.Status.DesiredNumberScheduled)
		one := u.add("daemonset.apps/", &d.ObjectMeta, d.Spec.Template, wanted)
		one.Updated = updated(d.Status.CurrentNumberScheduled, d.Status.UpdatedNumberScheduled, d.Status.NumberAvailable)
		one.Settled = d.Status.ObservedGeneration >= d.Generation && one.Updated >= wanted
	}
	return nil
}

func (u *usage) replicaSets(l *appsv1.ReplicaSetList, err error) error {
	if err != nil {
		return err
	}
	for i := range l.Items {
		if set := &l.Items[i]; metav1.GetControllerOf(set) == nil {
			u.add("replicaset.apps/", &set.ObjectMeta, set.Spec.Template, replicas(set.Spec.Replicas))
		}
	}
	return nil
}

// updated is how many pods of the newest template are surely available, where the
// controller only says how many of all are: those of before may be.
func updated(all, newest, available int32) int {
	return int(max(0, min(newest, available-(all-newest))))
}

func replicas(said *int32) int {
	if said == nil {
		return 1
	}
	return int(*said)
}

func (u *usage) add(prefix string, meta *metav1.ObjectMeta, template corev1.PodTemplateSpec, wanted int) *Used {
	one := &Used{
		Name: prefix + meta.Name, Namespace: meta.Namespace, Consumer: meta.Annotations[ConsumerAnnotation],
		Template: template, Wanted: wanted, Updated: wanted, Settled: true,
	}
	u.all = append(u.all, one)
	u.byKey[one.Namespace+"/"+one.Name] = one
	return one
}

func (u *usage) jobs(l *batchv1.JobList, err error) error {
	if err != nil {
		return err
	}
	for i := range l.Items {
		job := &l.Items[i]
		if metav1.GetControllerOf(job) != nil {
			// What a CronJob has made runs to its end with what it was made with.
			continue
		}
		u.add("job.batch/", &job.ObjectMeta, job.Spec.Template, 0).Phase = jobPhase(job)
	}
	return nil
}

// jobPhase is how a Job stands, in a word.
func jobPhase(job *batchv1.Job) string {
	switch {
	case jobCondition(job, batchv1.JobComplete) != nil:
		return "Complete"
	case jobCondition(job, batchv1.JobFailed) != nil:
		return "Failed"
	case job.Spec.Suspend != nil && *job.Spec.Suspend:
		return "Suspended"
	}
	return "Running"
}

func (u *usage) cronJobs(l *batchv1.CronJobList, err error) error {
	if err != nil {
		return err
	}
	for i := range l.Items {
		job := &l.Items[i]
		u.add("cronjob.batch/", &job.ObjectMeta, job.Spec.JobTemplate.Spec.Template, 0).Phase = "Scheduled"
	}
	return nil
}
