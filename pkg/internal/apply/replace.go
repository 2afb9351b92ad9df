package apply

import (
	"context"
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/rand"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

const (
	jobImmutable      = "the pod template of a Job cannot be changed"
	podEnded          = "the Pod has ended"
	podOtherContent   = "the Pod runs other content of the same name"
	podInitContainers = "the init containers of a Pod run only once"
	podPullPolicy     = "the pull policy of a Pod cannot be changed"
	podImmutable      = "of a Pod only the images can be changed"
)

// immutable says why the workload cannot be made right as it is, "" if it can.
func (t *target) immutable() string {
	if t.patch == nil || t.patch.Spec == nil {
		return ""
	}
	switch o := t.Object.Object.(type) {
	case *batchv1.Job:
		return jobImmutable
	case *corev1.Pod:
		return immutablePod(o, t.Assigned)
	}
	return ""
}

// immutablePod says why a Pod that is not right cannot be made so: of one that lives
// only the images of its containers can be changed, and only another image makes the
// kubelet start one anew.
func immutablePod(pod *corev1.Pod, assigned []kube.Assignment) string {
	has, differs := map[string]corev1.Container{}, false
	for _, container := range kube.Containers(&pod.Spec) {
		has[container.Name] = container
	}
	for _, a := range assigned {
		now := has[a.Container.Name]
		another := !a.Image.Is(now.Image)
		noted, isNoted := pod.Annotations[kube.ImageIDPrefix+a.Image.Name]
		other := isNoted && noted != a.Image.ImageID
		policy := a.PullPolicy() != "" && now.ImagePullPolicy != a.PullPolicy()
		differs = differs || another || other || policy
		switch {
		case policy:
			return podPullPolicy
		case (another || other) && a.Init:
			return podInitContainers
		case other && !another:
			return podOtherContent
		}
	}
	if differs && kube.HasEnded(pod) {
		return podEnded
	}
	return ""
}

// failedForGood tells whether a Job or Pod is right but will never run again.
func failedForGood(o kube.Object) bool {
	switch raw := o.Object.(type) {
	case *batchv1.Job:
		return kube.JobCondition(raw, batchv1.JobFailed) != nil
	case *corev1.Pod:
		return raw.Status.Phase == corev1.PodFailed
	}
	return false
}

// decideReplacing finds out whether the workload has to be made anew, which is an
// error unless it was asked for; then whether the API server would make it.
func (p *Plan) decideReplacing(ctx context.Context, t *target) error {
	why := t.immutable()
	t.replacing = why != "" || p.options.Replace && failedForGood(t.Object)
	switch {
	case !t.replacing || p.options.DryRun == DryRunClient && p.options.Replace:
		return nil
	case !p.options.Replace:
		return fmt.Errorf("%s: %s, so nothing was changed\nto delete and recreate it, use --replace", t.Ref.Where(), why)
	}
	replacement, err := kube.AsObject(t.replacement())
	if err != nil {
		return err
	}
	replacement.Meta.Name = dryRunName(t.Ref.Name)
	_, err = t.Ref.Client(p.api).Create(ctx, replacement.Object,
		metav1.CreateOptions{FieldManager: fieldManager, DryRun: []string{metav1.DryRunAll}})
	if creationRefused(err) {
		return fmt.Errorf("%w\nit was not changed", kube.ExplainAPI("recreate "+t.Ref.Where(), err))
	}
	return nil
}

// dryRunName is another name that fits wherever the name does: by the one that is to
// be made anew the API server would only say that it exists.
func dryRunName(name string) string {
	const most = 40
	return strings.TrimRight(name[:min(len(name), most)], "-.") + "-" + rand.String(5)
}

// creationRefused tells whether a dry run says that the object cannot be made. What the one
// that goes takes of a quota comes back.
func creationRefused(err error) bool {
	return err != nil && !apierrors.IsAlreadyExists(err) && !strings.Contains(err.Error(), "exceeded quota") &&
		!dryRunUnsupported(err)
}

// dryRunUnsupported tells whether the API server could not judge by a dry run, since a
// webhook has side effects (k8s.io/apiserver/pkg/admission/plugin/webhook).
func dryRunUnsupported(err error) bool {
	return apierrors.IsBadRequest(err) && strings.Contains(err.Error(), "does not support dry run")
}

// replacement is the workload as it is to be made: with its images, and without what the
// API server and the controllers wrote.
func (t *target) replacement() runtime.Object {
	fresh := sanitizeForCreate(t.Object)
	if t.patch == nil {
		return fresh.Object
	}
	annotate(fresh, t.patch.Metadata.Annotations, nil)
	if t.patch.Spec == nil {
		return fresh.Object
	}
	images := map[string]kube.Assignment{}
	for _, a := range t.Assigned {
		images[a.Container.Name] = a
	}
	annotate(fresh, nil, t.patch.Spec.Template.Metadata.Annotations)
	spec := podSpec(fresh)
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			if a, ok := images[containers[i].Name]; ok {
				containers[i].Image, containers[i].ImagePullPolicy = a.Image.Image, a.PullPolicy()
			}
		}
	}
	return fresh.Object
}

// podSpec is the spec that can be written to, which that of template is not for a
// Pod.
func podSpec(o kube.Object) *corev1.PodSpec {
	if pod, ok := o.Object.(*corev1.Pod); ok {
		return &pod.Spec
	}
	return &o.Template.Spec
}

// annotate adds annotations to the workload and to its template.
func annotate(o kube.Object, workload, template map[string]string) {
	add := func(to *metav1.ObjectMeta, more map[string]string) {
		for key, value := range more {
			metav1.SetMetaDataAnnotation(to, key, value)
		}
	}
	add(o.Meta, workload)
	if _, ok := o.Object.(*corev1.Pod); ok {
		add(o.Meta, template)
		return
	}
	add(&o.Template.ObjectMeta, template)
}
