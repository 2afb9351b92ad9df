package workload

import (
	"fmt"
	"slices"
	"strings"

	named "github.com/distribution/reference"
	corev1 "k8s.io/api/core/v1"
)

// repository returns the fully qualified repository of a reference, "" for none.
func repository(image string) string {
	parsed, err := named.ParseNormalizedNamed(image)
	if err != nil {
		return ""
	}
	return parsed.Name()
}

// all returns the init containers and containers of a pod.
func all(spec *corev1.PodSpec) []corev1.Container {
	return append(slices.Clone(spec.InitContainers), spec.Containers...)
}

// containersOf returns the names of the containers that are the image's.
func containersOf(image Image, spec *corev1.PodSpec) ([]string, error) {
	containers := all(spec)
	var names, matching []string
	repositories := map[string]bool{repository(image.Image): true}
	for _, alias := range image.Aliases {
		repositories[repository(alias)] = true
	}
	delete(repositories, "")
	for _, container := range containers {
		names = append(names, container.Name)
		if repositories[repository(container.Image)] {
			matching = append(matching, container.Name)
		}
	}
	if len(image.Containers) > 0 {
		for _, wanted := range image.Containers {
			if !slices.Contains(names, wanted) {
				return nil, fmt.Errorf("it has no container %q; it has %s", wanted, strings.Join(names, ", "))
			}
		}
		return image.Containers, nil
	}
	switch {
	case len(matching) > 0:
		return matching, nil
	case len(spec.Containers) == 1:
		return []string{spec.Containers[0].Name}, nil
	}
	described := make([]string, 0, len(containers))
	for _, container := range containers {
		described = append(described, fmt.Sprintf("%s (%s)", container.Name, container.Image))
	}
	return nil, fmt.Errorf("which container is %s? It has %s; say which with --container", image.Name, strings.Join(described, ", "))
}

// wantedPolicy returns the pull policy that a container has to have.
func wantedPolicy(image Image, has corev1.PullPolicy) corev1.PullPolicy {
	switch {
	case image.PullPolicy != "":
		return corev1.PullPolicy(image.PullPolicy)
	case has == corev1.PullAlways:
		return corev1.PullNever
	}
	return has
}
