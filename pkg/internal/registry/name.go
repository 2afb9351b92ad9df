package registry

import (
	"context"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/outlive"
)

// finishGrace is how long a cancelled change in a registry is waited for: nobody would know
// whether the registry carries it out.
const finishGrace = 10 * time.Second

// Naming lets a tag stand for content.
type Naming struct {
	// Tag like HOST/team/app:dev, in the repository of the content.
	Tag     string
	Content Content
	// Free lets the tag leave whatever it stands for. Else it may leave only what has one of
	// the digests Leaves, of an index, a manifest or a config. A registry knows no owners: who
	// calls knows from a record what is its own.
	Free   bool
	Leaves []digest.Digest
}

// Named is what became of a Naming.
type Named struct {
	// Content that the tag stands for, also beside a *TakenError. It may be another than was asked for which has the same
	// images, as another tool has written them.
	Content Content
	// Added is false where the tag stood for it already.
	Added bool
	// Before is what it stood for, so that it can go back; nil for nothing.
	Before *Content
}

// Name lets a tag stand for content that the registry has, by a PUT of the same manifest. A tag
// that stands for something else is a *TakenError, unless it may leave that; one that somebody
// else moved meanwhile is a *MovedError, and content that is gone a *LostError.
//
// No registry can be asked to PUT only where nothing is: between looking and naming another
// client may do the same. Who loses finds out, unless the other comes later still.
//
// When ctx ends, a PUT that has begun is waited for.
func (s *Store) Name(ctx context.Context, naming Naming) (Named, error) {
	tag, err := s.tag(naming.Tag)
	if err != nil {
		return Named{}, err
	}
	held, found, err := s.lookAt(ctx, naming.Tag)
	if err != nil {
		return Named{}, err
	}
	named := Named{Content: naming.Content}
	switch {
	case !found:
	case held.Digest == naming.Content.Digest || sameImages(held, naming.Content) && !naming.Free:
		return Named{Content: held}, nil
	case !naming.Free && !leaves(held, naming.Leaves):
		return Named{Content: held}, &TakenError{Name: naming.Tag, Digest: held.Digest}
	default:
		named.Before = &held
	}
	if context.Cause(ctx) != nil {
		return Named{}, context.Cause(ctx)
	}
	running, cancel := outlive.WithGracePeriod(ctx, finishGrace)
	defer cancel()
	if err := s.commit(running, tag, naming.Content); err != nil {
		return Named{}, err
	}
	named.Added = true
	return named, s.stands(running, tag, naming.Content.Digest)
}

// stands makes sure that a tag stands for what it was given.
func (s *Store) stands(ctx context.Context, tag name.Tag, wanted digest.Digest) error {
	now, err := s.get(ctx, tag)
	if is(err, NotFound) {
		return &MovedError{Name: tag.Name()}
	}
	if err == nil && now.Digest != wanted {
		err = &MovedError{Name: tag.Name(), Digest: now.Digest}
	}
	return err
}

// sameImages tells whether two contents are the same images for the same platforms.
func sameImages(a, b Content) bool {
	if len(a.Images) != len(b.Images) || len(a.Images) == 0 {
		return false
	}
	for _, one := range a.Images {
		if other, ok := b.Image(one.Platform); !ok || one.Config == "" || other.Config != one.Config {
			return false
		}
	}
	return true
}

func leaves(held Content, allowed []digest.Digest) bool {
	for _, d := range allowed {
		if held.Has(d) {
			return true
		}
	}
	return false
}

// Unnaming takes a tag away, if it stands for what has one of the digests Of.
type Unnaming struct {
	// Tag like HOST/team/app:dev.
	Tag string
	Of  []digest.Digest
}

// Unnamed is what became of an Unnaming.
type Unnamed struct {
	// Removed is false where there was no such tag, or it stands for something else.
	Removed bool
	// Digest that it stood for, "" for none.
	Digest digest.Digest
	// Gone is set where the registry took the content with its tag, so that other tags of it
	// are gone, too.
	Gone bool
}

// Unname takes a tag away. Content is never deleted: other tags may stand for it, and other
// clusters run it. A registry that does not take single tags away is an *Error with the reason
// Unsupported. When ctx ends, a deletion that has begun is waited for.
func (s *Store) Unname(ctx context.Context, unnaming Unnaming) (Unnamed, error) {
	tag, err := s.tag(unnaming.Tag)
	if err != nil {
		return Unnamed{}, err
	}
	held, found, err := s.lookAt(ctx, unnaming.Tag)
	if err != nil || !found {
		return Unnamed{}, err
	}
	unnamed := Unnamed{Digest: held.Digest}
	if !leaves(held, unnaming.Of) {
		return unnamed, nil
	}
	if context.Cause(ctx) != nil {
		return unnamed, context.Cause(ctx)
	}
	running, cancel := outlive.WithGracePeriod(ctx, finishGrace)
	defer cancel()
	err = s.failed(running, s.pusher.Delete(running, tag), "take away "+tag.Name(), tag.Repository)
	if is(err, NotFound) {
		// Somebody else did, or it was asked twice.
		return unnamed, nil
	}
	if err != nil {
		return unnamed, deletionRefused(err)
	}
	unnamed.Removed = true
	_, err = s.get(running, tag.Repository.Digest(held.Digest.String()))
	if is(err, NotFound) {
		unnamed.Gone, err = true, nil
	}
	return unnamed, err
}
