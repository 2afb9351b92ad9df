package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// rolloutStatus is how far a rollout is, as the workload's own status tells.
type rolloutStatus struct {
	// done: every replica is of the current template and available.
	done bool
	// waiting says in a few words what is missing.
	waiting string
	// impossible is set when the rollout cannot finish as things are.
	impossible *FailedError
	// pending is a failure that may pass, to be believed when it lasts.
	pending *problem
	// pods is how many current pods there have to be, desired how many at all, and updated
	// how many of the current ones are surely available. A StatefulSet's status does not
	// tell the last.
	pods, desired, updated int32
	// phase of a Job or CronJob in a word, "" of others.
	phase string
	// idle says why no pod, or not every pod, becomes current.
	idle string
}

const statusUnseen = "the controller has not seen the change yet"

// judgeStatus judges a workload by its kind. What "rolled out" means follows
// `kubectl rollout status` (k8s.io/kubectl/pkg/polymorphichelpers), with
// availability, which includes minReadySeconds, for every kind.
func judgeStatus(o kube.Object) rolloutStatus {
	switch raw := o.Object.(type) {
	case *appsv1.Deployment:
		return judgeDeployment(raw)
	case *appsv1.StatefulSet:
		return judgeStatefulSet(raw)
	case *appsv1.DaemonSet:
		return judgeDaemonSet(raw)
	case *appsv1.ReplicaSet:
		return judgeReplicaSet(raw)
	case *batchv1.Job:
		return judgeJob(raw)
	case *batchv1.CronJob:
		return judgeCronJob(raw)
	case *corev1.Pod:
		return judgePod(raw)
	}
	return rolloutStatus{waiting: "unknown kind"}
}

func judgeDeployment(d *appsv1.Deployment) rolloutStatus {
	replicas, status := ptr.Deref(d.Spec.Replicas, 1), d.Status
	progress := rolloutStatus{
		pods: replicas, desired: replicas,
		updated: surelyUpdated(status.Replicas, status.UpdatedReplicas, status.AvailableReplicas),
	}
	if replicas == 0 {
		progress.idle = "it has 0 replicas"
	}
	if status.ObservedGeneration < d.Generation {
		progress.waiting = statusUnseen
		return progress
	}
	switch {
	case status.UpdatedReplicas < replicas:
		progress.waiting = fmt.Sprintf("%d of %d replicas updated", status.UpdatedReplicas, replicas)
	case status.Replicas > status.UpdatedReplicas:
		progress.waiting = fmt.Sprintf("old replicas have to go: %d", status.Replicas-status.UpdatedReplicas)
	case status.AvailableReplicas < status.UpdatedReplicas:
		progress.waiting = fmt.Sprintf("%d of %d replicas available", status.AvailableReplicas, status.UpdatedReplicas)
	default:
		progress.done = true
		return progress
	}
	for _, condition := range status.Conditions {
		switch {
		case condition.Type == appsv1.DeploymentProgressing && condition.Reason == deadlineExceeded:
			progress.impossible = &FailedError{Reason: condition.Reason, Message: condition.Message}
		case condition.Type == appsv1.DeploymentReplicaFailure && condition.Status == corev1.ConditionTrue:
			progress.pending = &problem{reason: condition.Reason, message: condition.Message}
		}
	}
	if d.Spec.Paused {
		progress.impossible = &FailedError{
			Reason: "Paused", Message: "the Deployment is paused: " + progress.waiting,
			Hint: fmt.Sprintf("resume it with: kubectl rollout resume deployment/%s -n %s", d.Name, d.Namespace),
		}
	}
	return progress
}

const deadlineExceeded = "ProgressDeadlineExceeded"

func judgeStatefulSet(s *appsv1.StatefulSet) rolloutStatus {
	replicas, status := ptr.Deref(s.Spec.Replicas, 1), s.Status
	updated, available := replicas, replicas
	progress := rolloutStatus{desired: replicas}
	if rolling := s.Spec.UpdateStrategy.RollingUpdate; rolling != nil {
		if partition := min(ptr.Deref(rolling.Partition, 0), replicas); partition > 0 {
			updated -= partition
			progress.idle = fmt.Sprintf("its partition leaves %d of %d pods as they were", partition, replicas)
			if s.Spec.MinReadySeconds == 0 {
				// The pods below the partition are not of this rollout, and
				// those above it are looked at one by one.
				available = updated
			}
		}
	}
	if replicas == 0 {
		progress.idle = "it has 0 replicas"
	}
	progress.pods = updated
	switch {
	case status.ObservedGeneration < s.Generation:
		progress.waiting = statusUnseen
	case status.Replicas > replicas:
		progress.waiting = fmt.Sprintf("replicas too many: %d", status.Replicas-replicas)
	case status.UpdatedReplicas < updated:
		progress.waiting = fmt.Sprintf("%d of %d replicas updated", status.UpdatedReplicas, updated)
		if s.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType && status.Replicas == replicas {
			progress.impossible = onDelete(s.Namespace, s.Spec.Selector.MatchLabels, progress.waiting)
		}
	case status.AvailableReplicas < available:
		progress.waiting = fmt.Sprintf("%d of %d replicas available", status.AvailableReplicas, available)
	default:
		progress.done = true
	}
	return progress
}

func judgeDaemonSet(d *appsv1.DaemonSet) rolloutStatus {
	status := d.Status
	desired := status.DesiredNumberScheduled
	progress := rolloutStatus{
		pods: desired, desired: desired,
		updated: surelyUpdated(status.CurrentNumberScheduled, status.UpdatedNumberScheduled, status.NumberAvailable),
	}
	if desired == 0 {
		progress.idle = "no node is to run it"
	}
	switch {
	case status.ObservedGeneration < d.Generation:
		progress.waiting = statusUnseen
	case status.UpdatedNumberScheduled < desired:
		progress.waiting = fmt.Sprintf("%d of %d nodes updated", status.UpdatedNumberScheduled, desired)
		if d.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType && status.CurrentNumberScheduled == desired {
			progress.impossible = onDelete(d.Namespace, d.Spec.Selector.MatchLabels, progress.waiting)
		}
	case status.NumberAvailable < desired:
		progress.waiting = fmt.Sprintf("%d of %d nodes available", status.NumberAvailable, desired)
	default:
		progress.done = true
	}
	return progress
}

// surelyUpdated is how many pods of the newest template are surely available, where the
// controller only says how many of all are: those of before may be.
func surelyUpdated(all, newest, available int32) int32 {
	return max(0, min(newest, available-(all-newest)))
}

// onDelete: nobody but a user replaces the pods.
func onDelete(namespace string, labels map[string]string, waiting string) *FailedError {
	return &FailedError{
		Reason: "OnDelete", Message: "its update strategy OnDelete leaves replacing the pods to you: " + waiting,
		Hint: replacePods(namespace, labels),
	}
}

// replacePods is what replaces pods that nobody else does.
func replacePods(namespace string, labels map[string]string) string {
	var terms []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		terms = append(terms, key+"="+labels[key])
	}
	return fmt.Sprintf("replace them with: kubectl delete pod -n %s -l %s", namespace, strings.Join(terms, ","))
}
