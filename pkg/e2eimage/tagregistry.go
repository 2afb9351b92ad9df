package e2eimage

import (
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// statesOf are the states of where an image is to be.
func (r *tagRun) statesOf(image *imageTag) kindnode.States { return r.place.of(image.image, r.states) }

// registryOf is the registry that an image goes through, nil for nodes.
func (r *tagRun) registryOf(image *imageTag) *registryStore {
	return r.place.registryOf(r.place.partOf(image.image))
}

// goesTo is that registry in a record's words, without digests.
func (r *tagRun) goesTo(image *imageTag) *record.Registry {
	if in := r.registryOf(image); in != nil {
		return in.said()
	}
	return nil
}

// pulledAs is what the image is in its registry, once it has its tag there, nil for nodes.
func (r *tagRun) pulledAs(image *imageTag) *record.Registry {
	if in := r.registryOf(image); in != nil {
		return in.recorded(image.decision.ImageID, image.decision.Image)
	}
	return nil
}

// nodesOf are the nodes that have an image; none where they pull it.
func (r *tagRun) nodesOf(image *imageTag) []string {
	if r.registryOf(image) != nil {
		return []string{}
	}
	return r.place.nodes.Names()
}
