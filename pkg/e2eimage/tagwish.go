package e2eimage

import (
	"context"
	"errors"
	"fmt"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// wish resolves every source and draws the tags. All mistakes come together.
func (r *tagRun) wish(ctx context.Context) error {
	records, err := r.kube.records.Get(ctx, r.kube.namespace, r.consumer)
	if err != nil {
		return err
	}
	var mistakes []error
	for _, image := range r.in.Suite.Images {
		if image.External != "" {
			continue
		}
		wish, err := r.wishFor(image, records)
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		r.wishes = append(r.wishes, wish)
	}
	return classify(errors.Join(mistakes...))
}

func (r *tagRun) wishFor(image config.Image, records *record.Set) (record.Wish, error) {
	evidence, err := records.Entry(image.Name)
	if err != nil {
		return record.Wish{}, err
	}
	source := image.Source
	if source == "" && evidence != nil {
		source = evidence.Source
	}
	loaded, err := r.loadedSource(image.Name, source)
	if err != nil {
		return record.Wish{}, err
	}
	imageID, err := resolveSource(image.Name, loaded, r.cluster, r.states)
	if err != nil {
		return record.Wish{}, err
	}
	repository, err := targetRepository(image.Name, image.Repository, config.DefaultRepository(image.Name), imageID, r.states)
	if err != nil {
		return record.Wish{}, err
	}
	tag := image.Tag
	if tag == "" {
		if tag, err = r.draw(image); err != nil {
			return record.Wish{}, err
		}
	}
	target, err := ociimage.Join(repository, tag)
	if err != nil {
		return record.Wish{}, &UsageError{fmt.Errorf("%s: %w", image.Name, err)}
	}
	r.sources[image.Name] = source
	return record.Wish{
		Name: image.Name, ImageID: imageID, Image: target,
		Exact: image.Tag != "", New: r.in.New, Repository: image.Repository,
	}, nil
}

// loadedSource is what nodes have of a source: an archive's image by its ID.
func (r *tagRun) loadedSource(name, text string) (string, error) {
	source, err := config.ParseSource(text)
	if err != nil || source.Kind == config.SourceReference || source.Kind == config.SourceID {
		// What is no source is told by whoever looks for it.
		return text, nil
	}
	if source.Kind != config.SourceStdin {
		archive, err := engine.OpenArchive(source, nil, r.platform())
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		defer func() { _ = archive.Close() }()
		if image, known := archive.Image(); known {
			return image.ID.String(), nil
		}
	}
	return "", &UsageError{fmt.Errorf("%s: which image %s has is known only once it is loaded\nload it, and give --source the imageID that load -o json prints", name, text)}
}

func (r *tagRun) draw(image config.Image) (string, error) {
	values := r.in.Values
	values.Consumer, values.Name = r.consumer, image.Name
	if values.Random == "" {
		random, err := config.NewRandom()
		if err != nil {
			return "", err
		}
		values.Random = random
	}
	tag, err := config.DrawTag(image.TagTemplate, values)
	if err != nil {
		return "", &UsageError{fmt.Errorf("%s: %w", image.Name, err)}
	}
	return tag, nil
}
