package registry

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// Look asks what names stand for, like HOST/team/app:dev, each with its images' digests per
// platform. A name that stands for nothing is not in the answer. Of names that could not be
// asked the errors are *Error; the other names are in the answer all the same.
func (s *Store) Look(ctx context.Context, names ...string) (map[string]Content, error) {
	return s.each(names, func(text string) (Content, bool, error) { return s.lookAt(ctx, text) })
}

// LookAt is Look for content by its digest, each like HOST/team/app@sha256:….
func (s *Store) LookAt(ctx context.Context, pinned ...string) (map[string]Content, error) {
	return s.each(pinned, func(text string) (Content, bool, error) {
		repository, d, _ := strings.Cut(text, "@")
		content, err := s.At(ctx, repository, digest.Digest(d))
		if is(err, NotFound) {
			return Content{}, false, nil
		}
		return content, err == nil, err
	})
}

// each asks a few at once.
func (s *Store) each(names []string, look func(string) (Content, bool, error)) (map[string]Content, error) {
	found := map[string]Content{}
	var mu sync.Mutex
	var asking errgroup.Group
	asking.SetLimit(s.jobs)
	for _, text := range names {
		asking.Go(func() error {
			content, ok, err := look(text)
			if ok && err == nil {
				mu.Lock()
				defer mu.Unlock()
				found[text] = content
			}
			return err
		})
	}
	return found, asking.Wait()
}

func (s *Store) lookAt(ctx context.Context, text string) (content Content, found bool, err error) {
	tag, err := s.tag(text)
	if err != nil {
		return Content{}, false, err
	}
	content, err = s.get(ctx, tag)
	if is(err, NotFound) {
		return Content{}, false, nil
	}
	if err == nil {
		err = s.complete(ctx, &content)
	}
	return content, err == nil, err
}

// At asks for content by its digest, in a repository like HOST/team/app.
func (s *Store) At(ctx context.Context, repository string, d digest.Digest) (Content, error) {
	repo, err := s.repository(repository)
	if err != nil {
		return Content{}, err
	}
	content, err := s.get(ctx, repo.Digest(d.String()))
	if err == nil {
		err = s.complete(ctx, &content)
	}
	return content, err
}

func (s *Store) get(ctx context.Context, ref name.Reference) (Content, error) {
	got, err := s.puller.Get(ctx, ref)
	if err != nil {
		return Content{}, s.failed(ctx, err, "read "+ref.Name(), ref.Context())
	}
	content, err := parse(got.Manifest, got.MediaType)
	if err != nil {
		return Content{}, s.failed(ctx, err, "read "+ref.Name(), ref.Context())
	}
	content.Repository, content.in = ref.Context().Name(), ref.Context()
	return content, nil
}

// complete asks for what the first answer does not tell: of an index the images' manifests, of
// a manifest the platform, which stands in its config.
func (s *Store) complete(ctx context.Context, content *Content) error {
	if content.Artifact != "" {
		return nil
	}
	if !content.Index {
		image, err := s.image(ctx, content.in, content.Images[0])
		content.Images[0].Platform = image.Platform
		return err
	}
	var asking errgroup.Group
	asking.SetLimit(s.jobs)
	for i := range content.Images {
		asking.Go(func() error {
			one := &content.Images[i]
			child, err := s.get(ctx, content.in.Digest(one.Manifest.String()))
			if is(err, NotFound) {
				// A registry need not have what an index lists.
				return nil
			}
			if err != nil {
				return err
			}
			if len(child.Images) == 1 && !child.Index {
				child.Images[0].Platform = one.Platform
				*one = child.Images[0]
			}
			return nil
		})
	}
	return asking.Wait()
}

// image reads the config of an image, once however many names stand for that.
func (s *Store) image(ctx context.Context, repo name.Repository, image Image) (ociimage.Image, error) {
	read, err, _ := s.reading.Do(by(repo, image.Config), func() (any, error) { return s.readImage(ctx, repo, image) })
	parsed, _ := read.(ociimage.Image) // it is nothing else
	return parsed, err
}

func (s *Store) readImage(ctx context.Context, repo name.Repository, image Image) (ociimage.Image, error) {
	s.mu.Lock()
	known, ok := s.configs[image.Config]
	s.mu.Unlock()
	if ok {
		return known, nil
	}
	doing := fmt.Sprintf("read the config of %s", by(repo, image.Manifest))
	config, err := s.blob(ctx, repo, image.Config)
	if err != nil {
		return ociimage.Image{}, s.failed(ctx, err, doing, repo)
	}
	parsed, err := ociimage.ParseConfig(config)
	if err != nil {
		return ociimage.Image{}, s.failed(ctx, err, doing, repo)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.configs[image.Config] = parsed
	return parsed, nil
}

// blob reads a small blob. The library holds it against its digest.
func (s *Store) blob(ctx context.Context, repo name.Repository, d digest.Digest) ([]byte, error) {
	layer, err := s.puller.Layer(ctx, repo.Digest(d.String()))
	if err != nil {
		return nil, err
	}
	content, err := layer.Compressed()
	if err != nil {
		return nil, err
	}
	defer func() { _ = content.Close() }()
	return io.ReadAll(content)
}
