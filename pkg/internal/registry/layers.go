package registry

import (
	"context"
	"slices"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
)

// Layers are those that a registry has, by the digest of their content without compression:
// that is how engines and configs call them.
type Layers map[digest.Digest]Layer

// Layer is one layer in a registry.
type Layer struct {
	// Blob is the layer as it is stored, compressed or not.
	Blob ocispec.Descriptor

	in name.Repository
}

// Layers tells which of some layers contents consist of, nil for all of them. The registry is
// asked whether it still has each. Those of the repository, like HOST/team/app, come first: from
// others they would have to be mounted. What cannot be read of another repository is passed
// over.
func (s *Store) Layers(ctx context.Context, repository string, of []digest.Digest, contents ...Content,
) (Layers, error) {
	own, err := s.repository(repository)
	if err != nil {
		return nil, err
	}
	has := Layers{}
	for _, repo := range repositories(own, contents) {
		named, err := s.layersIn(ctx, repo, contents)
		if err == nil {
			for diffID := range named {
				if has[diffID].Blob.Digest != "" || of != nil && !slices.Contains(of, diffID) {
					delete(named, diffID)
				}
			}
			err = s.keepExisting(ctx, named)
		}
		if err != nil && (repo == own || context.Cause(ctx) != nil) {
			return nil, err
		}
		if err != nil {
			continue
		}
		for diffID, layer := range named {
			has[diffID] = layer
		}
	}
	return has, nil
}

// repositories are those of contents, the first one first.
func repositories(first name.Repository, contents []Content) []name.Repository {
	all := []name.Repository{first}
	for _, content := range contents {
		if !slices.Contains(all, content.in) {
			all = append(all, content.in)
		}
	}
	return all
}

// layersIn are what the contents of one repository say of their layers.
func (s *Store) layersIn(ctx context.Context, repo name.Repository, contents []Content) (Layers, error) {
	found := Layers{}
	for _, content := range contents {
		if content.in != repo {
			continue
		}
		for _, image := range content.Images {
			if image.Config == "" {
				continue
			}
			config, err := s.image(ctx, repo, image)
			if err != nil {
				return nil, err
			}
			if len(config.DiffIDs) != len(image.layers) {
				continue
			}
			for i, diffID := range config.DiffIDs {
				found[diffID] = Layer{Blob: image.layers[i], in: repo}
			}
		}
	}
	return found, nil
}

// keepExisting takes out the layers that the registry does not have any more.
func (s *Store) keepExisting(ctx context.Context, layers Layers) error {
	var mu sync.Mutex
	var asking errgroup.Group
	asking.SetLimit(s.jobs)
	var lost []digest.Digest
	for diffID, layer := range layers {
		asking.Go(func() error {
			has, err := s.has(ctx, layer.in, layer.Blob.Digest)
			if err == nil && !has {
				mu.Lock()
				defer mu.Unlock()
				lost = append(lost, diffID)
			}
			return err
		})
	}
	err := asking.Wait()
	for _, diffID := range lost {
		delete(layers, diffID)
	}
	return err
}

// has asks for a blob.
func (s *Store) has(ctx context.Context, repo name.Repository, d digest.Digest) (bool, error) {
	layer, err := s.puller.Layer(ctx, repo.Digest(d.String()))
	if err != nil {
		return false, s.failed(ctx, err, "read "+by(repo, d), repo)
	}
	asked, ok := layer.(interface{ Exists() (bool, error) })
	if !ok {
		return false, nil
	}
	has, err := asked.Exists()
	return has, s.failed(ctx, err, "read "+by(repo, d), repo)
}
