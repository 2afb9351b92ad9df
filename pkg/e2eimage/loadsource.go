package e2eimage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"
	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// from is what an image is loaded from: an engine's image, or an archive that is
// open.
type from struct {
	text    string
	engine  *engine.Image
	archive ociimage.Source
	// image is what is known of it.
	image ociimage.Image
	// names that the nodes are to have it under.
	names []kindnode.Name
	// pinned is set where the lock says which image it is.
	pinned bool
}

// source decides where the image comes from.
func (r *loadRun) source(ctx context.Context) (*from, error) {
	if r.pinned() {
		return r.fromLock(ctx)
	}
	text := r.wanted()
	if named, err := config.ParseSource(text); err == nil && named.Nameable() != nil {
		return nil, &UsageError{named.Nameable()}
	}
	prebuilt, err := prebuiltOf(r.image, r.in.Suite.Prebuilt)
	if err != nil {
		return nil, err
	}
	if prebuilt != "" {
		text = prebuilt
	}
	if text == "" {
		return nil, &UsageError{errors.New("which image? Say it with --source, or as source in e2eimage.yaml")}
	}
	source, err := config.ParseSource(text)
	if err != nil {
		return nil, &UsageError{err}
	}
	switch source.Kind {
	case config.SourceReference, config.SourceID:
		if prebuilt != "" && !r.in.DryRun {
			if err := r.client.pull(ctx, r.in.Suite, r.image, text); err != nil {
				return nil, err
			}
		}
		return r.fromEngine(ctx, text, r.in.Suite.Engine)
	}
	return r.fromArchive(ctx, source, text)
}

// wanted is what the image is called, and comes from unless a prebuilt one is there.
func (r *loadRun) wanted() string { return cmp.Or(r.image.External, r.image.Source) }

func (r *loadRun) fromArchive(ctx context.Context, source config.Source, text string) (*from, error) {
	archive, err := engine.OpenArchive(ctx, source, r.in.Stdin, r.states.Platform())
	if err != nil {
		return nil, &Error{Code: CodeSource, Image: r.image.Name, Err: err}
	}
	f := &from{text: text, archive: archive}
	var known bool
	if f.image, known = archive.Image(); !known && engine.CanReadAgain(source) {
		// By its digest it can be told later whether the file is still the same.
		sum, err := engine.ArchiveDigest(ctx, source)
		if err != nil {
			f.close()
			return nil, err
		}
		r.engineID = sum.String()
	}
	return f, nil
}

// isThere tells whether a prebuilt archive is there; an engine's image is asked
// for later.
func isThere(prebuilt string) bool {
	source, err := config.ParseSource(prebuilt)
	return err != nil || !source.IsArchive() || engine.HasArchive(source)
}

func (r *loadRun) fromEngine(ctx context.Context, text, by string) (*from, error) {
	found, err := engine.Find(ctx, r.client.runner, by, text)
	var absent *engine.NotFoundError
	if errors.As(err, &absent) && r.image.Loose && !strings.ContainsAny(text, "/:@") {
		return nil, &UsageError{fmt.Errorf("it is no NAME of e2eimage.yaml, and %w\nas an image: kubectl e2eimage load "+
			"REPOSITORY:TAG\nas a NAME: kubectl e2eimage load %s --source IMAGE", err, r.image.Name)}
	}
	if absent != nil && len(absent.Asked) > 0 && len(absent.Near) == 0 {
		return nil, fmt.Errorf("%w\n%s", err, r.toHave(text, absent.Asked[0]))
	}
	if err != nil {
		return nil, err
	}
	if found.Platform != r.states.Platform() {
		return nil, &InconsistentError{(&Error{Code: CodeSource, Image: r.image.Name}).says("%s in %s is for %s"+
			", the nodes are %s; build it for %s", text, found.Engine,
			cmp.Or(found.Platform, "another platform"), r.states.Platform(), r.states.Platform())}
	}
	return &from{text: text, engine: &found, image: found.Known()}, nil
}

// toHave is what to do about an image that the engine does not have.
func (r *loadRun) toHave(text, by string) string {
	host, _, isRemote := strings.Cut(text, "/")
	isRemote = isRemote && host != "localhost" && strings.ContainsAny(host, ".:")
	switch _, isID := ociimage.ParseImageID(text); {
	case isID:
		return fmt.Sprintf("see what there is: %s image ls", by)
	case isRemote || r.image.External != "":
		return fmt.Sprintf("pull it: %s pull %s", by, shellescape.Quote(text))
	case r.image.Loose:
		return fmt.Sprintf("build it: %s build -t %s .", by, shellescape.Quote(text))
	case r.in.Suite.File != "" && r.image.Source != "":
		return fmt.Sprintf("build it: %s build -t %s .\nor correct it in %s", by, shellescape.Quote(text), r.in.Suite.File)
	}
	return fmt.Sprintf("build it: %s build -t %s .\nor say another with --source", by, shellescape.Quote(text))
}

// nameIt decides the names that the nodes get, when it is known which the image
// has where it comes from.
func (r *loadRun) nameIt(f *from, image ociimage.Image) error {
	if f.pinned {
		if err := r.checkRecords(image.ID.String()); err != nil {
			return err
		}
	}
	if f.pinned && !r.moves(image.ID.String()) {
		f.names = []kindnode.Name{{Text: r.entry.Image, Owner: r.owner}}
		return nil
	}
	if f.pinned {
		// The record says what it stands for, until tag moves it.
		f.names = []kindnode.Name{{Text: nextName(r.entry.Image, image.ID.String()), Owner: r.owner}}
		return nil
	}
	if r.registry() != nil {
		return r.nameInRegistry(f, image)
	}
	wanted := r.wanted()
	if source, err := config.ParseSource(wanted); err == nil && source.Kind == config.SourceReference {
		candidates, err := ociimage.Candidates(source.Value)
		if err != nil {
			return &UsageError{err}
		}
		// podman's x:y is localhost/x:y, docker's is docker.io/library/x:y.
		for _, candidate := range candidates {
			if slices.Contains(image.Names, candidate) {
				f.names = free(candidate)
				return nil
			}
		}
		if f.engine == nil || len(image.Names) == 0 || f.text != wanted {
			f.names = free(candidates[0])
			return nil
		}
	}
	f.names = free(slices.Compact(slices.Sorted(slices.Values(image.Names)))...)
	if len(f.names) == 0 {
		return fmt.Errorf("%s has no name, and an image on a node needs one; name it where it is built, for example "+
			"localhost/%s:dev", f.text, r.image.Name)
	}
	return nil
}

// free are names that no record owns.
func free(texts ...string) []kindnode.Name {
	var names []kindnode.Name
	for _, text := range texts {
		names = append(names, kindnode.Name{Text: text})
	}
	return names
}

// open begins to read the image; layers that every node has are left out where
// that is possible.
func (f *from) open(ctx context.Context, r *loadRun, lacking []string) (ociimage.Source, error) {
	if f.archive != nil {
		return f.archive, nil
	}
	missing := map[digest.Digest]bool{}
	for _, node := range lacking {
		for _, diffID := range r.states[node].Missing(f.image, r.states.KnowsLayer) {
			missing[diffID] = true
		}
	}
	return f.engine.Open(ctx, r.client.runner, engine.Reading{
		Platform: r.states.Platform(), Helper: r.helper(f),
		Present: func(diffID digest.Digest) bool { return !missing[diffID] },
		Whole: func(why error) {
			r.client.report.Info(fmt.Sprintf("%s saves all of %s, which takes longer than single layers: %v", f.engine.Engine,
				f.text, why))
		},
	})
}

// helper is an image with perl that the engine is sure to have: the nodes' own.
func (r *loadRun) helper(f *from) string {
	nodes := r.place.nodes
	if nodes == nil || f.engine.Engine != nodes.Provider || len(nodes.Nodes) == 0 {
		return ""
	}
	return nodes.Nodes[0].Image
}

func (f *from) close() {
	if f.archive != nil {
		_ = f.archive.Close()
	}
}
