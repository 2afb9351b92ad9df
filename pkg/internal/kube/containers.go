package kube

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// Assignment is a container of a workload and the image that it gets.
type Assignment struct {
	Container corev1.Container
	Init      bool
	Image     Image
}

// PullPolicy is the pull policy that the container has to have.
func (a Assignment) PullPolicy() corev1.PullPolicy {
	switch {
	case a.Image.PullPolicy != "":
		return corev1.PullPolicy(a.Image.PullPolicy)
	case a.Image.Pulled && a.Container.ImagePullPolicy != "":
		return corev1.PullIfNotPresent
	case !a.Image.Pulled && a.Container.ImagePullPolicy == corev1.PullAlways:
		return corev1.PullNever
	}
	return a.Container.ImagePullPolicy
}

// isRight tells whether the container has image and policy already.
func (a Assignment) isRight() bool {
	return a.Image.Is(a.Container.Image) && a.Container.ImagePullPolicy == a.PullPolicy()
}

// Containers returns the init containers and containers of a pod.
func Containers(spec *corev1.PodSpec) []corev1.Container {
	return append(slices.Clone(spec.InitContainers), spec.Containers...)
}

// Assign says which containers of a workload get which of its images, in the
// order of the template. All mistakes are returned together.
func Assign(images []Image, spec *corev1.PodSpec) ([]Assignment, error) {
	var mistakes []error
	claims := map[string][]Image{}
	for _, image := range images {
		names, err := containersOf(image, images, spec)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", image.Name, err))
		}
		for _, name := range names {
			claims[name] = append(claims[name], image)
		}
	}
	var assigned []Assignment
	for i, container := range Containers(spec) {
		switch claiming := claims[container.Name]; len(claiming) {
		case 0:
		case 1:
			assigned = append(assigned, Assignment{Container: container, Init: i < len(spec.InitContainers), Image: claiming[0]})
		default:
			mistakes = append(mistakes, fmt.Errorf("container %s (%s) cannot be both %s and %s; say containers for each",
				container.Name, container.Image, claiming[0].Name, claiming[1].Name))
		}
	}
	return assigned, errors.Join(mistakes...)
}

// containersOf returns the names of the containers that are the image's. Among
// others that go to the same workload, one whose full reference a container has
// takes precedence over one that only shares the repository.
func containersOf(image Image, among []Image, spec *corev1.PodSpec) ([]string, error) {
	containers := Containers(spec)
	if len(image.Containers) > 0 {
		return checkNamed(image.Containers, containers)
	}
	var matching []string
	for _, container := range containers {
		another := slices.ContainsFunc(among, func(other Image) bool {
			return other.Name != image.Name && matchOf(other, container.Image) == ociimage.Fully
		})
		if match := matchOf(image, container.Image); match == ociimage.Fully || match == ociimage.ByRepository && !another {
			matching = append(matching, container.Name)
		}
	}
	switch {
	case len(matching) > 0:
		return matching, nil
	case len(spec.Containers) == 1:
		return []string{spec.Containers[0].Name}, nil
	}
	return nil,
		fmt.Errorf("which container runs it? There are %s; say which with --container, or as deploy.containers in "+
			"e2eimage.yaml", describeContainers(containers))
}

func checkNamed(wanted []string, containers []corev1.Container) ([]string, error) {
	var absent []string
	for _, name := range wanted {
		if !slices.ContainsFunc(containers, func(c corev1.Container) bool { return c.Name == name }) {
			absent = append(absent, fmt.Sprintf("%q", name))
		}
	}
	if len(absent) > 0 {
		return nil, fmt.Errorf("it has no container %s; there are %s", strings.Join(absent, ", "),
			describeContainers(containers))
	}
	return wanted, nil
}

func describeContainers(containers []corev1.Container) string {
	each := make([]string, 0, len(containers))
	for _, container := range containers {
		each = append(each, fmt.Sprintf("%s (%s)", container.Name, container.Image))
	}
	return strings.Join(each, ", ")
}

// matchOf tells how the image's own name or one of its aliases matches a reference.
func matchOf(image Image, ref string) ociimage.Match {
	return ociimage.MatchReference(ref, append([]string{image.Image}, image.Aliases...)...)
}

// ImagesOf are the images of containers by their names.
func ImagesOf(spec *corev1.PodSpec) map[string]string {
	images := map[string]string{}
	for _, container := range Containers(spec) {
		images[container.Name] = container.Image
	}
	return images
}

// HasImagesOf tells whether a pod has the images of a template. It may have more
// containers, which webhooks put in.
func HasImagesOf(pod, template *corev1.PodSpec) bool {
	has := ImagesOf(pod)
	for name, image := range ImagesOf(template) {
		if has[name] != image {
			return false
		}
	}
	return true
}
