package rollout

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// Gathered is a workload, or a pod of none, with all of its pods: also those that have ended
// or are being deleted.
type Gathered struct {
	kube.Reference
	Object runtime.Object
	// Consumer whose mark it has, "" for none.
	Consumer string
	Pods     []*corev1.Pod

	template *corev1.PodSpec
}

// Runs tells whether its template, or one of its pods, needs one of some images.
func (g *Gathered) Runs(is func(image string) bool) bool {
	has := func(spec *corev1.PodSpec) bool {
		return slices.ContainsFunc(kube.Containers(spec), func(c corev1.Container) bool { return is(c.Image) })
	}
	return has(g.template) || slices.ContainsFunc(g.Pods, func(pod *corev1.Pod) bool { return has(&pod.Spec) })
}

// Gather lists the workloads of all namespaces with their pods, as Usage does. What was
// listed before an error comes with it.
func Gather(ctx context.Context, api kube.API, namespace string) ([]*Gathered, Unseen, error) {
	g := &gathering{byKey: map[string]*Gathered{}}
	unseen, err := eachKind(ctx, api, namespace, true, func() {
		g.all = slices.DeleteFunc(g.all, func(one *Gathered) bool { return one.Namespace != namespace })
	}, func(k kube.Kind, listed runtime.Object) error {
		return meta.EachListItem(listed, func(raw runtime.Object) error { return g.add(k, raw) })
	})
	return g.all, unseen, err
}

type gathering struct {
	all   []*Gathered
	byKey map[string]*Gathered
}

func (g *gathering) add(k kube.Kind, raw runtime.Object) error {
	// Items of a list have its memory, and say no kind.
	o, err := kube.AsObject(raw.DeepCopyObject())
	if err != nil {
		return err
	}
	owner := metav1.GetControllerOf(o.Meta)
	pod, isPod := o.Object.(*corev1.Pod)
	if isPod {
		if of := g.ownerOf(pod); of != nil {
			of.Pods = append(of.Pods, pod)
			return nil
		}
	} else if owner != nil && owner.Kind == string("Deployment") {
		return nil
	}
	one := &Gathered{
		Reference: kube.Reference{Namespace: o.Meta.Namespace, Kind: k, Name: o.Meta.Name}, Object: o.Object,
		Consumer: o.Meta.Annotations[kube.ConsumerAnnotation], template: &o.Template.Spec,
	}
	if isPod {
		one.Pods = []*corev1.Pod{pod}
	}
	o.Meta.ManagedFields = nil
	o.Object.GetObjectKind().SetGroupVersionKind(k.GroupVersionKind())
	g.all = append(g.all, one)
	g.byKey[one.Namespace+"/"+one.String()] = one
	return nil
}

// ownerOf is the workload that a pod belongs to, nil where there is none any more.
func (g *gathering) ownerOf(pod *corev1.Pod) *Gathered {
	owners := []string{ownerOf(pod)}
	if set := metav1.GetControllerOf(pod); set != nil {
		owners = append(owners, kube.Reference{Kind: kube.Kind(strings.ToLower(set.Kind)), Name: set.Name}.String())
	}
	for _, owner := range owners {
		if one := g.byKey[pod.Namespace+"/"+owner]; one != nil {
			return one
		}
	}
	return nil
}
