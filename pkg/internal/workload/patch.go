package workload

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// Marks on workloads.
const (
	// ConsumerAnnotation says whose workload it is.
	ConsumerAnnotation = "e2eimage.dev/consumer"
	// ImageIDPrefix comes before the image's name, in pod templates: new content
	// under an old tag has to roll out.
	ImageIDPrefix = "imageid.e2eimage.dev/"
)

type containerPatch struct {
	Name            string            `json:"name"`
	Image           string            `json:"image"`
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`
}

// patchFor returns the strategic merge patch that makes the workload right, nil
// when it is. It carries the resource version: what it was worked out from has
// to be what it changes.
func (p *Plan) patchFor(ctx context.Context, t *target) ([]byte, error) {
	foreign, err := p.checkMark(ctx, t)
	if err != nil {
		return nil, err
	}
	spec := &t.object.template.Spec
	imageIDs := map[string]string{}
	containers, initContainers := []containerPatch{}, []containerPatch{}
	owner := map[string]string{}
	right := true
	for _, image := range t.images {
		names, err := containersOf(image, spec)
		if err != nil {
			return nil, fmt.Errorf("%s in %s, namespace %s: %w", image.Name, t.ref, t.ref.namespace, err)
		}
		key := ImageIDPrefix + image.Name
		imageIDs[key] = image.ImageID
		if written, ok := t.object.template.Annotations[key]; ok && written != image.ImageID {
			right = false
		}
		for _, container := range all(spec) {
			if !slices.Contains(names, container.Name) {
				continue
			}
			if other := owner[container.Name]; other != "" && other != image.Name {
				return nil, fmt.Errorf("container %s of %s in namespace %s cannot be both %s and %s; say containers for each",
					container.Name, t.ref, t.ref.namespace, other, image.Name)
			}
			owner[container.Name] = image.Name
			policy := wantedPolicy(image, container.ImagePullPolicy)
			right = right && container.Image == image.Image && container.ImagePullPolicy == policy
			change := containerPatch{Name: container.Name, Image: image.Image, ImagePullPolicy: policy}
			if isInit(spec, container.Name) {
				initContainers = append(initContainers, change)
			} else {
				containers = append(containers, change)
			}
		}
	}
	if right && !foreign {
		return nil, nil
	}
	patch := map[string]any{"metadata": map[string]any{
		"resourceVersion": t.object.meta.ResourceVersion,
		"annotations":     map[string]string{ConsumerAnnotation: p.options.Consumer},
	}}
	if !right {
		podSpec := map[string]any{}
		if len(containers) > 0 {
			podSpec["containers"] = containers
		}
		if len(initContainers) > 0 {
			podSpec["initContainers"] = initContainers
		}
		patch["spec"] = map[string]any{"template": map[string]any{
			"metadata": map[string]any{"annotations": imageIDs}, "spec": podSpec,
		}}
	}
	return json.Marshal(patch)
}

// checkMark tells whether the workload carries another consumer's mark that has
// to be replaced; that of a consumer who is alive is an error unless taken over.
func (p *Plan) checkMark(ctx context.Context, t *target) (foreign bool, err error) {
	mark := t.object.meta.Annotations[ConsumerAnnotation]
	if mark == "" || mark == p.options.Consumer {
		return false, nil
	}
	if p.options.TakeOver {
		return true, nil
	}
	alive := true
	if p.options.Alive != nil {
		if alive, err = p.options.Alive(ctx, p.options.Namespace, mark); err != nil {
			return false, err
		}
	}
	if alive {
		return false, &ClaimedError{Workload: t.ref.String(), Namespace: t.ref.namespace, Consumer: mark, Ours: p.options.Consumer}
	}
	return true, nil
}

func isInit(spec *corev1.PodSpec, name string) bool {
	return slices.ContainsFunc(spec.InitContainers, func(c corev1.Container) bool { return c.Name == name })
}
