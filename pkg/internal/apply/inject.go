package apply

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// assignmentsIn are the containers that have one of the images, in their order.
func assignmentsIn(spec *corev1.PodSpec, images []kube.Image) []kube.Assignment {
	var assigned []kube.Assignment
	for i, container := range kube.Containers(spec) {
		at := slices.IndexFunc(images, func(image kube.Image) bool { return image.Is(container.Image) })
		if at < 0 {
			continue
		}
		a := kube.Assignment{Container: container, Init: i < len(spec.InitContainers), Image: images[at]}
		if container.ImagePullPolicy == "" && strings.HasSuffix(container.Image, ":latest") {
			// The API server would fill in Always.
			a.Container.ImagePullPolicy = corev1.PullAlways
		}
		assigned = append(assigned, a)
	}
	return assigned
}

// injectImages makes a workload of the manifests what a patch makes one that exists: with
// a pull policy that lets the node's image be used, the image IDs in its template,
// and the consumer's mark.
func injectImages(u *unstructured.Unstructured, k kube.Kind, assigned []kube.Assignment, images []kube.Image,
	consumer string,
) error {
	path := k.TemplatePath()
	ids, policies := map[string]string{}, map[string]corev1.PullPolicy{}
	if err := injectVolumes(u, path, images, ids); err != nil {
		return err
	}
	if len(assigned) == 0 && len(ids) == 0 {
		return nil
	}
	for _, a := range assigned {
		ids[kube.ImageIDPrefix+a.Image.Name] = a.Image.ImageID
		if policy := a.PullPolicy(); policy != "" {
			policies[a.Container.Name] = policy
		}
	}
	if err := annotateAt(u, path, ids); err != nil {
		return err
	}
	if err := annotateAt(u, nil, map[string]string{kube.ConsumerAnnotation: consumer}); err != nil {
		return err
	}
	for _, list := range []string{"initContainers", "containers"} {
		at := append(slices.Clone(path), "spec", list)
		containers, there, err := unstructured.NestedSlice(u.Object, at...)
		if err != nil || !there {
			continue
		}
		for _, container := range containers {
			fields, ok := container.(map[string]any)
			if name, isText := fields["name"].(string); ok && isText && policies[name] != "" {
				fields["imagePullPolicy"] = string(policies[name])
			}
		}
		if err := unstructured.SetNestedSlice(u.Object, containers, at...); err != nil {
			return err
		}
	}
	return nil
}

// injectVolumes does it for volumes that are images, and notes their IDs.
func injectVolumes(u *unstructured.Unstructured, path []string, images []kube.Image, ids map[string]string) error {
	at := append(slices.Clone(path), "spec", "volumes")
	volumes, there, err := unstructured.NestedSlice(u.Object, at...)
	if err != nil || !there {
		return nil // what is no list, the API server says
	}
	for _, volume := range volumes {
		fields, _ := volume.(map[string]any)
		source, _ := fields["image"].(map[string]any)
		n := slices.IndexFunc(images, func(image kube.Image) bool { return source["reference"] == image.Image })
		if n < 0 {
			continue
		}
		ids[kube.ImageIDPrefix+images[n].Name] = images[n].ImageID
		if source["pullPolicy"] == string(corev1.PullAlways) {
			source["pullPolicy"] = string(corev1.PullNever)
		}
	}
	return unstructured.SetNestedSlice(u.Object, volumes, at...)
}

func annotateAt(u *unstructured.Unstructured, path []string, more map[string]string) error {
	at := append(slices.Clone(path), "metadata", "annotations")
	// A key without a value, as templates may leave it, is none.
	for i := range at {
		if value, there, err := unstructured.NestedFieldNoCopy(u.Object, at[:i+1]...); err == nil && there && value == nil {
			unstructured.RemoveNestedField(u.Object, at[:i+1]...)
		}
	}
	annotations, _, err := unstructured.NestedStringMap(u.Object, at...)
	if err != nil {
		return fmt.Errorf("%s: %w", strings.Join(at, "."), err)
	}
	if annotations == nil {
		annotations = map[string]string{}
	}
	for key, value := range more {
		annotations[key] = value
	}
	return unstructured.SetNestedStringMap(u.Object, annotations, at...)
}

// HasImage tells whether an object of the manifests has the image.
func (p *Plan) HasImage(image string) bool {
	return slices.ContainsFunc(p.applied, func(a *appliedObject) bool { return mentions(a.object.Object, image) })
}

// mentions tells whether the image stands somewhere in the object, by itself or in a
// longer text, such as an argument.
func mentions(value any, image string) bool {
	switch v := value.(type) {
	case string:
		return hasImage(v, image)
	case map[string]any:
		for key, inner := range v {
			if hasImage(key, image) || mentions(inner, image) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(inner any) bool { return mentions(inner, image) })
	}
	return false
}

// hasImage tells a reference in a text from one that it is only a part of.
func hasImage(text, image string) bool {
	for {
		before, after, found := strings.Cut(text, image)
		if !found {
			return false
		}
		if !strings.ContainsAny(before[max(0, len(before)-1):], referenceCharacters) &&
			!strings.ContainsAny(after[:min(1, len(after))], referenceCharacters) {
			return true
		}
		text = text[len(before)+1:]
	}
}

const referenceCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/"
