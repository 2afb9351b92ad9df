package rollout

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// Holders are workloads and pods, with the images that their pods have or will have:
// also those that have no pod just now.
type Holders struct {
	all []holder
	// pods are those whose images are known, as NAMESPACE/NAME.
	pods map[string]bool
	// Unseen are kinds that may not be listed, not even in the one namespace.
	Unseen []string
	// OneNamespace is set where only that one may be looked into.
	OneNamespace bool
}

// Holder is a workload, or a pod of none that has the image.
type Holder struct {
	// Name as kubectl prints it, like deployment.apps/datastorage.
	Name, Namespace string
	// Note is how it is there without any pod: "0 replicas", "scheduled"; else "".
	Note string
}

// holder knows its images, and the pods that are its.
type holder struct {
	Holder
	spec *corev1.PodSpec
	pods []*corev1.Pod
}

// ListHolders asks as Usage does, with one more call for ReplicaSets of their own.
func ListHolders(ctx context.Context, api kube.API, namespace string) (*Holders, error) {
	u := newUsage()
	u.withReplicaSets = true
	unseen, err := u.list(ctx, api, namespace)
	if err != nil {
		return nil, err
	}
	h := &Holders{Unseen: unseen, OneNamespace: u.oneNamespace, pods: map[string]bool{}}
	owned := map[string][]*corev1.Pod{}
	for _, pod := range u.live {
		key := u.keyOf(pod)
		owned[key] = append(owned[key], pod)
		h.pods[pod.Namespace+"/"+pod.Name] = true
	}
	for _, used := range u.all {
		key := used.Namespace + "/" + used.Name
		if ended := used.Phase == "Complete" || used.Phase == "Failed"; ended && len(owned[key]) == 0 {
			continue
		}
		h.all = append(h.all, holder{Holder{used.Name, used.Namespace, noteOn(used)}, &used.Template.Spec, owned[key]})
		delete(owned, key)
	}
	for _, pod := range u.live {
		// What a CronJob has made, for one.
		if key := podKey(pod); owned[key] != nil {
			h.all = append(h.all, holder{Holder{"pod/" + pod.Name, pod.Namespace, ""}, &pod.Spec, nil})
		}
	}
	return h, nil
}

// keyOf is the workload that a pod belongs to, among those that were listed; else the
// pod itself.
func (u *usage) keyOf(pod *corev1.Pod) string {
	owners := []string{ownerOf(pod)}
	if set := metav1.GetControllerOf(pod); set != nil && set.Kind == "ReplicaSet" {
		owners = append(owners, "replicaset.apps/"+set.Name)
	}
	for _, owner := range owners {
		if key := pod.Namespace + "/" + owner; u.byKey[key] != nil {
			return key
		}
	}
	return podKey(pod)
}

func podKey(pod *corev1.Pod) string { return pod.Namespace + "/pod/" + pod.Name }

func noteOn(used *Used) string {
	switch {
	case used.Phase != "":
		return strings.ToLower(used.Phase)
	case used.Wanted == 0 && len(used.Pods) == 0:
		return "0 replicas"
	}
	return ""
}

// Of returns those that have an image in their template, or in a pod that is left of one
// before.
func (h *Holders) Of(image string) []Holder {
	var found []Holder
	for _, one := range h.all {
		has := needsImage(one.spec, image)
		for _, pod := range one.pods {
			has = has || needsImage(&pod.Spec, image)
		}
		if has {
			found = append(found, one.Holder)
		}
	}
	return found
}

// Knows tells whether a pod is among those that were listed.
func (h *Holders) Knows(namespace, pod string) bool { return h.pods[namespace+"/"+pod] }

// needsImage tells whether a pod needs an image, by a container or as a volume.
func needsImage(spec *corev1.PodSpec, image string) bool {
	is := func(reference string) bool { return ociimage.MatchReference(reference, image) == ociimage.Fully }
	for _, container := range kube.Containers(spec) {
		if is(container.Image) {
			return true
		}
	}
	for _, debugger := range spec.EphemeralContainers {
		// One that has ended never starts again, which only its node knows for sure.
		if is(debugger.Image) {
			return true
		}
	}
	for _, volume := range spec.Volumes {
		if volume.Image != nil && is(volume.Image.Reference) {
			return true
		}
	}
	return false
}
