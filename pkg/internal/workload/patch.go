package workload

import (
	"encoding/json"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// patch is a strategic merge patch of a workload.
type patch struct {
	Metadata patchMetadata `json:"metadata"`
	// Spec is nil where no pod has to be new.
	Spec *patchSpec `json:"spec,omitempty"`
}

type patchMetadata struct {
	// ResourceVersion: what the patch was worked out from is what it changes.
	ResourceVersion string            `json:"resourceVersion,omitempty"`
	Annotations     map[string]string `json:"annotations"`
}

type patchSpec struct {
	Template patchTemplate `json:"template"`
}

type patchTemplate struct {
	Metadata patchMetadata `json:"metadata"`
	Spec     *patchPodSpec `json:"spec,omitempty"`
}

type patchPodSpec struct {
	InitContainers []patchContainer `json:"initContainers,omitempty"`
	Containers     []patchContainer `json:"containers,omitempty"`
}

type patchContainer struct {
	Name            string            `json:"name"`
	Image           string            `json:"image,omitempty"`
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`
}

// buildPatch returns what makes the workload right, nil when it is. A missing
// image ID annotation is not wrong: the workload may come from a chart that was
// installed with the recorded image, and has no reason to restart. remark also
// replaces another consumer's mark on a workload that is right.
func buildPatch(o object, assigned []assignment, consumer string, remark bool) *patch {
	restart := restartsFor(o, assigned)
	if restart == nil && !remark {
		return nil
	}
	return &patch{
		Metadata: patchMetadata{
			ResourceVersion: o.meta.ResourceVersion,
			Annotations:     map[string]string{ConsumerAnnotation: consumer},
		},
		Spec: restart,
	}
}

// restartsFor is the part of the patch that makes new pods.
func restartsFor(o object, assigned []assignment) *patchSpec {
	right, pods := true, patchPodSpec{}
	imageIDs := map[string]string{}
	for _, a := range assigned {
		key := ImageIDPrefix + a.image.Name
		imageIDs[key] = a.image.ImageID
		if written, ok := o.template.Annotations[key]; ok && written != a.image.ImageID {
			right = false
		}
		if a.right() {
			continue
		}
		right = false
		change := patchContainer{Name: a.container.Name}
		if a.container.Image != a.image.Image {
			change.Image = a.image.Image
		}
		if policy := a.policy(); a.container.ImagePullPolicy != policy {
			change.ImagePullPolicy = policy
		}
		if a.init {
			pods.InitContainers = append(pods.InitContainers, change)
		} else {
			pods.Containers = append(pods.Containers, change)
		}
	}
	if right {
		return nil
	}
	restart := &patchSpec{Template: patchTemplate{Metadata: patchMetadata{Annotations: imageIDs}}}
	if pods.Containers != nil || pods.InitContainers != nil {
		restart.Template.Spec = &pods
	}
	return restart
}

// bytes is the patch as an object of the kind wants it.
func (p *patch) bytes(k kind) ([]byte, error) {
	if p.Spec == nil {
		return json.Marshal(p)
	}
	path, template := k.templatePath(), p.Spec.Template
	if len(path) == 0 {
		metadata := p.Metadata
		metadata.Annotations = maps.Clone(metadata.Annotations)
		maps.Copy(metadata.Annotations, template.Metadata.Annotations)
		return json.Marshal(map[string]any{"metadata": metadata, "spec": template.Spec})
	}
	var nested any = template
	for _, field := range slices.Backward(path[1:]) {
		nested = map[string]any{field: nested}
	}
	return json.Marshal(map[string]any{"metadata": p.Metadata, path[0]: nested})
}
