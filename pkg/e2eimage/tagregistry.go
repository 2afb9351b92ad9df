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

// inRegistry is what the image is in its registry, once it has its tag there, nil for nodes.
func (r *tagRun) inRegistry(image *imageTag) *inRegistry {
	if in := r.registryOf(image); in != nil {
		return &inRegistry{in.recorded(image.decision.ImageID, image.decision.Image)}
	}
	return nil
}

// inRegistry is an image in a registry; a nil one is on nodes.
type inRegistry struct{ says *record.Registry }

func (i *inRegistry) digest() string {
	if i == nil {
		return ""
	}
	return i.says.Digest.String()
}

func (i *inRegistry) record() *record.Registry {
	if i == nil {
		return nil
	}
	return i.says
}

// nodesOf are the nodes that have an image; none where they pull it.
func (r *tagRun) nodesOf(image *imageTag) []string {
	if r.registryOf(image) != nil {
		return []string{}
	}
	return r.place.nodes.Names()
}
