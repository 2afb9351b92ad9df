package e2eimage

import (
	"context"
	"errors"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/manifest"
)

// RenderInput is what Render needs.
type RenderInput struct {
	Suite config.Suite
	// From decides where the images are read, as for Ref.
	From Use
	// Annotate also writes the image IDs into pod templates, so that new content
	// under an old tag rolls out.
	Annotate bool
	// Manifests in the order in which they are returned.
	Manifests []Manifest
}

// Manifest is the text of Kubernetes manifests.
type Manifest struct {
	// Name of its file, for errors; "" for standard input.
	Name string
	Text []byte
}

// RenderResult has the manifests of the input with the recorded images in them.
type RenderResult struct {
	Manifests []Manifest `json:"manifests"`
}

// Render puts the recorded images of the suite into manifests: where an image field
// has an image's source, repository or recorded name, and wherever e2eimage://NAME
// stands. Nothing else of the text changes. All that is wrong in all manifests is said
// at once.
func (c *Client) Render(ctx context.Context, in RenderInput) (*RenderResult, error) {
	return verb(ctx, in, c.render)
}

func (c *Client) render(ctx context.Context, in RenderInput) (*RenderResult, error) {
	refs, err := c.ref(ctx, RefInput{Suite: in.Suite, From: in.From})
	if err != nil {
		return nil, err
	}
	options := manifest.Options{Annotate: in.Annotate}
	sources := map[string]string{}
	for _, image := range in.Suite.Images {
		sources[image.Name] = image.Source
	}
	for _, ref := range refs.Images {
		options.Images = append(options.Images, manifest.Image{
			Name: ref.Name, Image: ref.Image, ImageID: ref.ImageID,
			Aliases: append(spellings(sources[ref.Name], ref.Source), ref.Repository),
		})
	}
	result := &RenderResult{Manifests: []Manifest{}}
	var mistakes []error
	for _, one := range in.Manifests {
		text, err := manifest.Render(one.Text, one.Name, options)
		mistakes = append(mistakes, err)
		result.Manifests = append(result.Manifests, Manifest{Name: one.Name, Text: text})
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	return result, nil
}
