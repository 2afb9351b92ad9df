package e2eimage

import (
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/registry"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/rollout"
)

// runs is the image ID that a container runs, "" where that is not known yet: as its node says,
// or, of an image that nodes pull, by the digest in its pod's status.
func (r *statusRun) runs(evidence *record.Evidence, container rollout.UsedContainer) string {
	if evidence.Registry == nil {
		return r.containers[container.ID]
	}
	return runsPulled(evidence, container.ImageID)
}

// deployedAs is a recorded image as workloads have it.
func deployedAs(evidence *record.Evidence) kube.Image {
	return kube.Image{
		Image: evidence.Reference(), Tagged: evidence.Image, ImageID: evidence.ImageID, Pulled: evidence.Registry != nil,
	}
}

// runsPulled is the recorded image ID where a pod's status names one of the recorded digests, else
// what it names.
func runsPulled(evidence *record.Evidence, imageID string) string {
	if registry.Runs(imageID, evidence.Registry.Digests()) {
		return evidence.ImageID
	}
	return imageID[strings.LastIndexByte(imageID, '@')+1:]
}

// undigested is a reference without its digest, if it has a tag, too: as records have it.
func undigested(reference string) string {
	before, _, digested := strings.Cut(reference, "@")
	if digested && strings.Contains(before[strings.LastIndexByte(before, '/')+1:], ":") {
		return before
	}
	return reference
}
