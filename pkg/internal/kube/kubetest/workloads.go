package kubetest

import (
	"maps"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// What the fixtures had before and have by now.
const (
	OldImage = "localhost/datastorage:wf-old"
	NewImage = "localhost/datastorage:wf-new"
	NewID    = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
)

// Datastorage is the image that most tests deploy.
func Datastorage() kube.Image {
	return kube.Image{
		Name: "datastorage", Image: NewImage, ImageID: NewID, Workloads: []string{"deployment/datastorage"},
		Timeout: 2 * time.Minute, MaxRestarts: 3,
	}
}

// Labels are those of all pods.
func Labels() map[string]string { return map[string]string{"app": "datastorage"} }

// Template has the labels and the containers.
func Template(containers ...corev1.Container) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: Labels()},
		Spec:       corev1.PodSpec{Containers: containers},
	}
}

// Container never pulls.
func Container(name, image string) corev1.Container {
	return corev1.Container{Name: name, Image: image, ImagePullPolicy: corev1.PullNever}
}

// MetaOf is that of an object in namespace e2e, with the UID uid-NAME.
func MetaOf(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: "e2e", Name: name, UID: types.UID("uid-" + name), Generation: 1, ResourceVersion: "7",
	}
}

// Deployment is datastorage, with one replica and no status.
func Deployment(image string, edit ...func(*appsv1.Deployment)) *appsv1.Deployment {
	d := &appsv1.Deployment{
		ObjectMeta: MetaOf("datastorage"),
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(1)), Selector: &metav1.LabelSelector{MatchLabels: Labels()},
			Template: Template(Container("server", image)),
		},
	}
	for _, change := range edit {
		change(d)
	}
	return d
}

// StatefulSet is store, rolled out.
func StatefulSet(image string, replicas int32, edit ...func(*appsv1.StatefulSet)) *appsv1.StatefulSet {
	s := &appsv1.StatefulSet{
		ObjectMeta: MetaOf("store"),
		Spec: appsv1.StatefulSetSpec{
			Replicas: new(replicas), Selector: &metav1.LabelSelector{MatchLabels: Labels()},
			Template:       Template(Container("server", image)),
			UpdateStrategy: appsv1.StatefulSetUpdateStrategy{Type: appsv1.RollingUpdateStatefulSetStrategyType},
		},
		Status: appsv1.StatefulSetStatus{
			ObservedGeneration: 1, Replicas: replicas, UpdatedReplicas: replicas, AvailableReplicas: replicas,
			UpdateRevision: "store-new",
		},
	}
	for _, change := range edit {
		change(s)
	}
	return s
}

// DaemonSet is agent, rolled out.
func DaemonSet(image string, nodes int32, edit ...func(*appsv1.DaemonSet)) *appsv1.DaemonSet {
	d := &appsv1.DaemonSet{
		ObjectMeta: MetaOf("agent"),
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: Labels()}, Template: Template(Container("server", image)),
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{Type: appsv1.RollingUpdateDaemonSetStrategyType},
		},
		Status: appsv1.DaemonSetStatus{
			ObservedGeneration: 1, DesiredNumberScheduled: nodes, CurrentNumberScheduled: nodes,
			UpdatedNumberScheduled: nodes, NumberAvailable: nodes,
		},
	}
	d.Annotations = map[string]string{appsv1.DeprecatedTemplateGeneration: "1"}
	for _, change := range edit {
		change(d)
	}
	return d
}

// RolledOut gives a Deployment the status of a finished rollout.
func RolledOut(d *appsv1.Deployment) {
	n := *d.Spec.Replicas
	d.Status = appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation, Replicas: n, UpdatedReplicas: n, AvailableReplicas: n,
	}
}

// Unavailable is the status while the new pods are not ready.
func Unavailable(d *appsv1.Deployment) {
	RolledOut(d)
	d.Status.AvailableReplicas = 0
}

func controlledBy(owner metav1.Object, kind string) []metav1.OwnerReference {
	return []metav1.OwnerReference{*metav1.NewControllerRef(owner, appsv1.SchemeGroupVersion.WithKind(kind))}
}

// ReplicaSet has the template that the Deployment has now.
func ReplicaSet(d *appsv1.Deployment, hash string) *appsv1.ReplicaSet {
	set := &appsv1.ReplicaSet{
		ObjectMeta: MetaOf(d.Name + "-" + hash), Spec: appsv1.ReplicaSetSpec{Template: *d.Spec.Template.DeepCopy()},
	}
	set.OwnerReferences = controlledBy(d, "Deployment")
	set.Labels = maps.Clone(d.Spec.Template.Labels)
	set.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = hash
	set.Spec.Template.Labels = maps.Clone(set.Labels)
	return set
}

// Job is migrate, with what the API server adds.
func Job(image string, edit ...func(*batchv1.Job)) *batchv1.Job {
	j := &batchv1.Job{ObjectMeta: MetaOf("migrate"), Spec: batchv1.JobSpec{
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{batchv1.ControllerUidLabel: "uid-migrate"}},
		Template: Template(Container("server", image)),
	}}
	j.Spec.Template.Labels = map[string]string{
		"app": "datastorage", batchv1.ControllerUidLabel: "uid-migrate", "controller-uid": "uid-migrate",
	}
	j.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	j.Finalizers = []string{metav1.FinalizerDeleteDependents, "example.com/keep"}
	for _, change := range edit {
		change(j)
	}
	return j
}

// JobThatIs gives a Job a condition.
func JobThatIs(condition batchv1.JobConditionType) func(*batchv1.Job) {
	return func(j *batchv1.Job) {
		j.Status.Conditions = []batchv1.JobCondition{{
			Type: condition, Status: corev1.ConditionTrue, Reason: "Why", Message: "because",
		}}
	}
}

// BarePod is single, which nothing controls.
func BarePod(image string, edit ...func(*corev1.Pod)) *corev1.Pod {
	pod := Pod(&metav1.ObjectMeta{}, "single", image, edit...)
	pod.OwnerReferences = nil
	return pod
}

// DatastorageOf is that image for one workload.
func DatastorageOf(workload string) kube.Image {
	image := Datastorage()
	image.Workloads = []string{workload}
	return image
}
