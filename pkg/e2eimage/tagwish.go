package e2eimage

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// wish resolves every source and draws the tags. All mistakes come together.
func (r *tagRun) wish(ctx context.Context) error {
	shared, err := groupTag(r.in.Suite, r.consumer, r.in.Values, r.in.New, membersIn(r.lock, r.records))
	if err != nil {
		return err
	}
	var mistakes []error
	for _, image := range r.images {
		if image.wish, err = r.wishFor(ctx, image, cmp.Or(image.image.Tag, shared)); err != nil {
			mistakes = append(mistakes, err)
		}
	}
	return errors.Join(mistakes...)
}

// wishFor is what is wanted of one image, under a tag that may have been said. It fills in
// where the image comes from.
func (r *tagRun) wishFor(ctx context.Context, one *imageTag, said string) (record.Wish, error) {
	image, entry := one.image, one.entry
	evidence, err := r.records.Entry(image.Name)
	if err != nil {
		return record.Wish{}, err
	}
	one.had = evidence != nil && evidence.State == record.Ready
	if r.in.Use == UseCluster && entry.Pinned() && one.had && evidence.ImageID != entry.ImageID {
		one.useCluster, one.source = true, evidence.Source
		return record.Wish{
			Name: image.Name, ImageID: evidence.ImageID, Image: evidence.Image, Exact: true, Registry: r.goesTo(one),
		}, nil
	}
	source := image.Source
	switch {
	case entry != nil && (source == "" || entry.Via == lock.ViaPrebuilt):
		// What an archive brought in place of a build came from there.
		source = cmp.Or(entry.Source, source)
	case source == "" && evidence != nil:
		source = evidence.Source
	}
	imageID, err := r.imageID(ctx, one, source)
	if err != nil {
		return record.Wish{}, err
	}
	one.source = source
	wish := record.Wish{
		Name: image.Name, ImageID: imageID, Exact: said != "", New: r.in.New,
		Move: r.in.Suite.TagGroup != "", Repository: image.Repository, Registry: r.goesTo(one),
	}
	if entry != nil && entry.Image != "" && entry.ImageID == imageID && said == "" && !r.in.New &&
		underRepository(image, entry.Image) && !r.otherNamespace(entry, r.ca) {
		wish.Image = entry.Image
		// What was decided before the build is what everybody was told.
		wish.Exact = entry.Built != nil
		return wish, nil
	}
	repository, err := targetRepository(image.Name, image.Repository, config.DefaultRepository(image.Name), imageID,
		r.statesOf(one))
	if err != nil {
		return record.Wish{}, err
	}
	tag := said
	if tag == "" {
		if tag, err = drawTag(image, r.consumer, r.in.Values); err != nil {
			return record.Wish{}, err
		}
	}
	if wish.Image, err = ociimage.Join(repository, tag); err != nil {
		return record.Wish{}, &UsageError{&imageError{image.Name, err}}
	}
	return wish, nil
}

// imageID is what is tagged: what the lock pins, else what the source stands for on
// the nodes.
func (r *tagRun) imageID(ctx context.Context, image *imageTag, source string) (string, error) {
	name, entry := image.image.Name, image.entry
	if entry.Pinned() {
		for _, node := range r.statesOf(image).Lacking(entry.ImageID, entry.ImageID) {
			lacks := &Error{Code: CodeNotLoaded, Image: name, Node: node, Fix: "load it: " + typed("load", name, r.in.Suite)}
			return "", &InconsistentError{lacks.says("%s: %s does not have %s, which was %s here: it was not loaded",
				name, nodesOf([]string{node}), ociimage.ShortID(entry.ImageID), lockedHow(entry))}
		}
		return entry.ImageID, nil
	}
	if entry != nil && entry.Built != nil {
		unknown := &Error{Code: CodeNotLoaded, Image: name, Fix: "load it: " + typed("load", name, r.in.Suite)}
		return "", &InconsistentError{
			unknown.says("%s: it was %s, but not loaded: only loading tells its image ID", name, lockedHow(entry)),
		}
	}
	if kept := r.keeps(image.compared); kept != "" {
		return kept, nil
	}
	loaded, err := r.loadedSource(ctx, name, source)
	if err != nil {
		return "", err
	}
	return resolveSource(name, loaded, r.place, r.statesOf(image))
}

// loadedSource is what nodes have of a source: an archive's image by its ID.
func (r *tagRun) loadedSource(ctx context.Context, name, text string) (string, error) {
	source, err := config.ParseSource(text)
	if err != nil || source.Kind == config.SourceReference || source.Kind == config.SourceID {
		// What is no source is told by whoever looks for it.
		return text, nil
	}
	if source.Kind != config.SourceStdin {
		archive, err := engine.OpenArchive(ctx, source, nil, r.states.Platform())
		if err != nil {
			return "", &imageError{name, &Error{Code: CodeSource, Err: err}}
		}
		defer func() { _ = archive.Close() }()
		if image, known := archive.Image(); known {
			return image.ID.String(), nil
		}
	}
	return "", &UsageError{fmt.Errorf("%s: which image %s has is known only once it is loaded\n"+
		"load it, and give --source the imageID that load -o json prints", name, text)}
}
