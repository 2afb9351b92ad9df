package kube

import (
	"encoding/json"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// Patch is a strategic merge patch of a workload.
type Patch struct {
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

// NewPatch returns what makes the workload right, nil when it is. A missing
// image ID annotation is not wrong: the workload may come from a chart that was
// installed with the recorded image, and has no reason to restart. replaceMark
// also replaces another consumer's mark on a workload that is right.
func NewPatch(o Object, assigned []Assignment, consumer string, replaceMark bool) *Patch {
	restart := restartsFor(o, assigned)
	if restart == nil && !replaceMark {
		return nil
	}
	return &Patch{
		Metadata: patchMetadata{
			ResourceVersion: o.Meta.ResourceVersion,
			Annotations:     map[string]string{ConsumerAnnotation: consumer},
		},
		Spec: restart,
	}
}

// restartsFor is the part of the patch that makes new pods.
func restartsFor(o Object, assigned []Assignment) *patchSpec {
	right, pods := true, patchPodSpec{}
	imageIDs := map[string]string{}
	for _, a := range assigned {
		key := ImageIDPrefix + a.Image.Name
		imageIDs[key] = a.Image.ImageID
		if written, ok := o.Template.Annotations[key]; ok && written != a.Image.ImageID {
			right = false
		}
		if a.isRight() {
			continue
		}
		right = false
		change := patchContainer{Name: a.Container.Name}
		if !a.Image.Is(a.Container.Image) {
			change.Image = a.Image.Image
		}
		if policy := a.PullPolicy(); a.Container.ImagePullPolicy != policy {
			change.ImagePullPolicy = policy
		}
		if a.Init {
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

// Marshal is the patch as an object of the kind wants it.
func (p *Patch) Marshal(k Kind) ([]byte, error) {
	if p.Spec == nil {
		return json.Marshal(p)
	}
	path, template := k.TemplatePath(), p.Spec.Template
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
