package e2eimage

import (
	"errors"
	"fmt"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// registry is the one that the image goes through, nil for nodes.
func (r *loadRun) registry() *registryStore {
	if r.place == nil {
		return nil
	}
	return r.place.registryOf(r.place.partOf(r.image))
}

// pullsItself tells whether nodes pull an external image by its own name from elsewhere, so that
// there is nothing to be done for it.
func (r *loadRun) pullsItself() bool {
	if !r.place.leavesToNodes(r.image) {
		return false
	}
	r.client.report.Info(fmt.Sprintf("%s: not pushed; nodes pull %s themselves", r.image.Name, r.image.External))
	return true
}

// leavesToNodes tells whether an external image comes from another registry than the place's
// own, so that nodes pull it themselves.
func (p *place) leavesToNodes(image config.Image) bool {
	if p == nil || image.External == "" {
		return false
	}
	in := p.registryOf(p.partOf(image))
	if in == nil {
		return false
	}
	_, here := in.choice.Here(image.External)
	return !here
}

// digest is what the image is in its registry by now, "" for nodes.
func (r *loadRun) digest(loaded *LoadedImage) string {
	if in := r.registry(); in != nil {
		return in.recorded(loaded.ImageID, loaded.Image).Digest.String()
	}
	return ""
}

// nameInRegistry decides the name in a registry: the source's tag, in the repository of the
// recorded image.
func (r *loadRun) nameInRegistry(f *from, image ociimage.Image) error {
	if r.image.External != "" {
		f.names = free(r.image.External)
		return nil
	}
	source, err := config.ParseSource(r.wanted())
	if err != nil {
		return &UsageError{err}
	}
	name := sourceName(r.image.Repository, source, image.ID.String())
	if name == "" {
		return errors.New("it has no image ID, by which the registry could call it")
	}
	f.names = free(name)
	return nil
}
