package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/images"
)

// content is what the registry has of an image ID, as far as it was looked at or pushed.
func (p *Part) content(imageID string) (Content, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	content, ok := p.ids[imageID]
	if !ok {
		return Content{}, &images.GoneError{ImageID: imageID}
	}
	return content, nil
}

func (p *Part) owner(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.owners[name]
}

// own notes that a name belongs to a record, and what it stands for.
func (p *Part) own(name, owner string, content Content) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.contents[name] = content
	if owner != "" {
		p.owners[name] = owner
		p.digests[name] = append(p.digests[name], content.Digest)
	}
}

// name lets a name stand for content in its repository.
func (p *Part) name(ctx context.Context, name string, naming Naming) (Named, error) {
	here, ok := p.choice.Here(name)
	if !ok {
		return Named{}, &elsewhereError{name: name, registry: p.choice.Pull}
	}
	tag, err := p.store.tag(here)
	if err != nil {
		return Named{}, err
	}
	if tag.Repository != naming.Content.in {
		repository, _ := p.choice.There(naming.Content.Repository)
		return Named{}, fmt.Errorf("%s is not in the repository %s, where the image is; a tag has to be in the same", name,
			repository)
	}
	naming.Tag = here
	named, err := p.store.Name(ctx, naming)
	var taken *TakenError
	var moved *MovedError
	var lost *LostError
	switch {
	case errors.As(err, &taken):
		err = &images.TakenError{Name: name}
	case errors.As(err, &moved):
		err = &images.MovedError{Name: name, ImageID: moved.Digest.String()}
	case errors.As(err, &lost):
		image, _ := naming.Content.Image(p.asks.Platform)
		err = &images.GoneError{ImageID: image.Config.String()}
	}
	return named, err
}

// GiveNames names an image that the registry has. Names that no record owns may leave what they
// stand for.
func (p *Part) GiveNames(ctx context.Context, _ []string, imageID string, names []images.Name) error {
	content, err := p.content(imageID)
	if err != nil {
		return err
	}
	for _, name := range names {
		if owner := p.owner(name.Text); owner != "" && owner != name.Owner {
			return &images.TakenError{Name: name.Text, Owner: owner}
		}
		named, err := p.name(ctx, name.Text, Naming{Content: content, Free: name.Owner == ""})
		if err != nil {
			return err
		}
		p.own(name.Text, name.Owner, named.Content)
	}
	return nil
}

// Tag adds names that a record owns, a few at once. One that is another image stays that: callers
// compare images.Tagged.ImageID with what they wanted. With an error what is returned is not whole.
func (p *Part) Tag(ctx context.Context, _ []string, ops []images.TagOp) (map[string][]images.Tagged, error) {
	all, failed := make([]images.Tagged, len(ops)), make([]error, len(ops))
	var naming errgroup.Group
	naming.SetLimit(p.store.jobs)
	for i, op := range ops {
		naming.Go(func() error {
			if failed[i] = context.Cause(ctx); failed[i] == nil {
				all[i], failed[i] = p.tagOne(ctx, op)
			}
			return nil
		})
	}
	_ = naming.Wait() // each has its error
	return map[string][]images.Tagged{p.Name(): all}, cmp.Or(failed...)
}

func (p *Part) tagOne(ctx context.Context, op images.TagOp) (images.Tagged, error) {
	content, err := p.content(op.ImageID)
	if err != nil {
		return images.Tagged{}, err
	}
	done := images.Tagged{Target: op.Target, Owner: p.owner(op.Target)}
	ours := done.Owner == op.Owner
	if done.Owner != "" && !ours && done.Owner != op.From {
		done.ImageID = p.heldID(op.Target)
		return done, nil
	}
	naming := Naming{Content: content, Free: op.Back && ours}
	if op.Move && ours {
		naming.Leaves = p.standsFor(op.Target)
	}
	named, err := p.name(ctx, op.Target, naming)
	if image, ok := named.Content.Image(p.asks.Platform); ok {
		done.ImageID = image.Config.String()
	}
	if errors.As(err, new(*images.TakenError)) {
		return done, nil
	}
	if err != nil {
		return images.Tagged{}, err
	}
	done.Added, done.Owner = named.Added, op.Owner
	p.own(op.Target, op.Owner, named.Content)
	return done, nil
}

// heldID is the image ID that a name stood for when it was looked at.
func (p *Part) heldID(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	image, _ := p.contents[name].Image(p.asks.Platform)
	return image.Config.String()
}

// standsFor are the digests that records say a name stands for.
func (p *Part) standsFor(name string) []digest.Digest {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]digest.Digest(nil), p.digests[name]...)
}

// Untag takes names away that belong to the owner, and stand for what records say. A registry
// that does not take names away is an *Error with the reason Unsupported.
func (p *Part) Untag(ctx context.Context, _ []string, ops []images.UntagOp) (map[string][]images.Untagged, error) {
	var all []images.Untagged
	for _, op := range ops {
		done := images.Untagged{Name: op.Name}
		here, ok := p.choice.Here(op.Name)
		if context.Cause(ctx) != nil {
			return map[string][]images.Untagged{p.Name(): all}, context.Cause(ctx)
		}
		if ok && op.Owner != "" && p.owner(op.Name) == op.Owner {
			done.ImageID = p.heldID(op.Name)
			unnamed, err := p.store.Unname(ctx, Unnaming{Tag: here, Of: p.standsFor(op.Name)})
			if err != nil {
				return map[string][]images.Untagged{p.Name(): all}, err
			}
			done.Removed, done.Freed = unnamed.Removed, unnamed.Gone
		}
		all = append(all, done)
	}
	return map[string][]images.Untagged{p.Name(): all}, nil
}

// Disown leaves names to nobody. The registry knows no owners.
func (p *Part) Disown(_ context.Context, _ []string, ops []images.UntagOp) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, op := range ops {
		if p.owners[op.Name] == op.Owner {
			delete(p.owners, op.Name)
		}
	}
	return nil
}

// Free does nothing: content is never deleted, since nobody knows who runs it.
func (p *Part) Free(context.Context, []string, []string) error { return nil }
