package registry

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/images"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// Part answers as a cluster's nodes do: it is the only part of its store, and has what the
// registry has under the names that are asked for. All names are as the nodes reach them.
type Part struct {
	store  *Store
	choice Choice
	asks   Asks

	mu sync.Mutex
	// contents are what the registry has, by name; ids what it has by image ID.
	contents map[string]Content
	ids      map[string]Content
	layers   Layers
	owners   map[string]string
	digests  map[string][]digest.Digest
}

// Asks are what a registry cannot know by itself: it lists no names, and has no owner labels.
type Asks struct {
	// Platform of the nodes, like linux/amd64.
	Platform string
	// Names to look for: those of sources, and those that are recorded. Pinned are looked for
	// where no name stands for them: content that is recorded, like HOST/team/app@sha256:….
	Names, Pinned []string
	// Also are what else a name is called, which is there then, too: a source has its own
	// repository elsewhere.
	Also map[string][]string
	// Owners says which record a name belongs to, Digests what records say that it stands for.
	Owners  map[string]string
	Digests map[string][]digest.Digest
}

// NewPart returns a registry as the only part of a cluster's store. It closes the store.
func NewPart(store *Store, choice Choice, asks Asks) *Part {
	owners, digests := maps.Clone(asks.Owners), maps.Clone(asks.Digests)
	if owners == nil {
		owners = map[string]string{}
	}
	if digests == nil {
		digests = map[string][]digest.Digest{}
	}
	return &Part{
		store: store, choice: choice, asks: asks, contents: map[string]Content{}, ids: map[string]Content{},
		layers: Layers{}, owners: owners, digests: digests,
	}
}

// Name is what the part is called; see Choice.Part.
func (p *Part) Name() string { return p.choice.Part() }

// Names are the parts: this one.
func (p *Part) Names() []string { return []string{p.Name()} }

// Close ends the connections.
func (p *Part) Close() { p.store.Close() }

// Probe asks what the names stand for.
func (p *Part) Probe(ctx context.Context) (images.States, error) {
	state, err := p.look(ctx)
	return images.States{p.Name(): state}, err
}

// ProbeContent also asks which layers that consists of, and whether they are all there.
func (p *Part) ProbeContent(ctx context.Context) (images.States, error) {
	state, err := p.look(ctx)
	if err == nil {
		err = p.lookInto(ctx, &state)
	}
	return images.States{p.Name(): state}, err
}

// ProbeUse is Probe: a registry runs nothing.
func (p *Part) ProbeUse(ctx context.Context) (images.States, error) { return p.Probe(ctx) }

// Containers are none: a registry runs nothing.
func (p *Part) Containers(context.Context, []string) (images.States, error) {
	return images.States{p.Name(): {Platform: p.asks.Platform}}, nil
}

// here are names as they are reached from here. Those of other registries are left out: there is
// nothing to ask.
func (p *Part) here(names []string) []string {
	var here []string
	for _, name := range names {
		if one, ok := p.choice.Here(name); ok {
			here = append(here, one)
		}
	}
	return here
}

func (p *Part) look(ctx context.Context) (images.State, error) {
	found, err := p.store.Look(ctx, p.here(p.asks.Names)...)
	if err == nil {
		err = p.lookAtPinned(ctx, found)
	}
	if err != nil {
		return images.State{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	state := images.State{
		Platform: p.asks.Platform, Owners: map[string]string{}, OwnedSince: map[string]time.Time{},
		Names: map[string]bool{},
	}
	clear(p.contents)
	for _, here := range slices.Sorted(maps.Keys(found)) {
		content := found[here]
		name, _ := p.choice.There(here)
		state.Names[name] = true
		if owner := p.owners[name]; owner != "" {
			state.Owners[name] = owner
		}
		p.contents[name] = content
		image, ok := content.Image(p.asks.Platform)
		if !ok {
			continue
		}
		id := image.Config.String()
		p.ids[id] = content
		at := slices.IndexFunc(state.Images, func(listed images.Image) bool { return listed.ID == id })
		if at < 0 {
			at = len(state.Images)
			state.Images = append(state.Images, images.Image{ID: id})
		}
		listed := &state.Images[at]
		if _, pinned := digestIn(name); !pinned {
			listed.RepoTags = append(listed.RepoTags, name)
		}
		for _, also := range p.asks.Also[name] {
			listed.RepoTags, state.Names[also] = append(listed.RepoTags, also), true
		}
		if repository, ok := p.choice.There(content.Repository); ok {
			pinned := repository + "@" + content.Digest.String()
			if !slices.Contains(listed.RepoDigests, pinned) {
				listed.RepoDigests = append(listed.RepoDigests, pinned)
			}
		}
	}
	return state, nil
}

// lookAtPinned asks for content that none of the names that were found stands for.
func (p *Part) lookAtPinned(ctx context.Context, found map[string]Content) error {
	var missing []string
	for _, here := range p.here(p.asks.Pinned) {
		d, _ := digestIn(here)
		stands := false
		for _, content := range found {
			stands = stands || content.Digest == d && strings.HasPrefix(here, content.Repository+"@")
		}
		if !stands && !slices.Contains(missing, here) {
			missing = append(missing, here)
		}
	}
	there, err := p.store.LookAt(ctx, missing...)
	maps.Copy(found, there)
	return err
}

// digestIn is that of a name like HOST/team/app@sha256:….
func digestIn(name string) (digest.Digest, bool) {
	_, text, ok := strings.Cut(name, "@")
	return digest.Digest(text), ok
}

// Content is what the registry has of an image ID, as far as it was looked at or pushed.
func (p *Part) Content(imageID string) (Content, bool) {
	content, err := p.content(imageID)
	return content, err == nil
}

// Stands is what a name stands for, as far as it was looked at or given.
func (p *Part) Stands(name string) (Content, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	content, ok := p.contents[name]
	return content, ok
}

// lookInto fills in the layers that the registry has, and which images have all of theirs.
func (p *Part) lookInto(ctx context.Context, state *images.State) error {
	p.mu.Lock()
	contents := slices.Collect(maps.Values(p.contents))
	p.mu.Unlock()
	state.Blobs, state.Chains = map[digest.Digest]int64{}, map[digest.Digest]bool{}
	if len(contents) == 0 {
		return nil
	}
	layers, err := p.store.Layers(ctx, contents[0].Repository, nil, contents...)
	if err != nil {
		return err
	}
	for diffID, layer := range layers {
		state.Blobs[diffID] = layer.Blob.Size
	}
	p.mu.Lock()
	maps.Copy(p.layers, layers)
	p.mu.Unlock()
	for _, content := range contents {
		image, ok := content.Image(p.asks.Platform)
		if !ok {
			continue
		}
		config, err := p.store.image(ctx, content.in, image)
		if err != nil {
			return err
		}
		for i, chain := range config.ChainIDs() {
			if _, has := layers[config.DiffIDs[i]]; !has {
				break
			}
			state.Chains[chain] = true
		}
	}
	return nil
}

// remember notes content that the registry has got.
func (p *Part) remember(content Content) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, image := range content.Images {
		p.ids[image.Config.String()] = content
	}
}

// Deliver begins to push an image into the repository that its names are in.
func (p *Part) Deliver(ctx context.Context, what images.Delivering) images.Delivery {
	repository := what.Repository
	if len(what.Names) > 0 {
		repository = ociimage.Repository(what.Names[0].Text)
	}
	delivery := &delivered{part: p}
	here, ok := p.choice.Here(repository)
	if !ok {
		delivery.err = &elsewhereError{name: cmp.Or(repository, "an image without a name"), registry: p.choice.Pull}
		return delivery
	}
	p.mu.Lock()
	delivery.repository, delivery.has = here, maps.Clone(p.layers)
	p.mu.Unlock()
	delivery.watch = func(bytes int64) {
		if what.Watch != nil {
			what.Watch(p.Name(), bytes)
		}
	}
	delivery.to, delivery.err = p.store.Deliver(ctx, here, delivery.has, delivery.watch)
	return delivery
}
