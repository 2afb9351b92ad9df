package e2eimage

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/images"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/registry"
)

// place is where the images of a suite are, as one store. Each image is in one of the stores
// that it consists of.
type place struct {
	// nodes are those of the Kind cluster, nil where no image is on them. What only nodes can
	// do, as copying from one to the other, is asked of them.
	nodes      *kindnode.Cluster
	registries []*registryStore
	// asker tells what registries are asked for.
	asker *asker
	suite config.Suite
	// by are the names of the registries, as parts, by what is said of images; "" for nodes.
	by map[string]string
}

var _ imageStore = (*place)(nil)

// stores are what the place consists of.
func (p *place) stores() []imageStore {
	var all []imageStore
	if p.nodes != nil {
		all = append(all, p.nodes)
	}
	for _, one := range p.registries {
		all = append(all, one)
	}
	return all
}

// having is the store that has some parts, which are those of one image.
func (p *place) having(parts []string) imageStore {
	for _, store := range p.stores() {
		if len(in(store, parts)) > 0 {
			return store
		}
	}
	return p.stores()[0]
}

// within are the states of the nodes for "", else those of a registry, by its name as a part.
func within(part string, states images.States) images.States {
	chosen := images.States{}
	for name, state := range states {
		if name == part || part == "" && !isRegistry(name) {
			chosen[name] = state
		}
	}
	return chosen
}

// isRegistry tells whether a part of a place is no node.
func isRegistry(part string) bool { return strings.HasPrefix(part, registry.PartPrefix) }

// registryIn is the registry that states are of, as a part, "" where they are of nodes.
func registryIn(states images.States) string {
	for part := range states {
		if isRegistry(part) {
			return part
		}
	}
	return ""
}

// partOf is the registry, as a part, that an image goes through, "" for nodes.
func (p *place) partOf(image config.Image) string { return p.by[said(p.suite, image)] }

// of are the states of where an image is, or is to be.
func (p *place) of(image config.Image, states images.States) images.States {
	return within(p.partOf(image), states)
}

// registryOf is the registry of a name as a part, nil for none.
func (p *place) registryOf(part string) *registryStore {
	for _, one := range p.registries {
		if one.choice.Part() == part {
			return one
		}
	}
	return nil
}

// partOfRecord is the registry, as a part, that a record's image is in, "" for nodes.
func partOfRecord(evidence *record.Evidence) string {
	if evidence == nil || evidence.Registry == nil {
		return ""
	}
	return registry.PartPrefix + evidence.Registry.Pull
}

// kindName is the Kind cluster's name, "" where it is not asked.
func (p *place) kindName() string {
	if p.nodes == nil {
		return ""
	}
	return p.nodes.Name
}

// in are those of the parts that a store has.
func in(store imageStore, parts []string) []string {
	names := store.Names()
	return slices.DeleteFunc(slices.Clone(parts), func(part string) bool { return !slices.Contains(names, part) })
}

// across does something in each store that has some of the parts, side by side.
func across[T any](p *place, parts []string, do func(store imageStore, parts []string) (map[string]T, error),
) (map[string]T, error) {
	all := map[string]T{}
	var failed []error
	var mu sync.Mutex
	var working sync.WaitGroup
	for _, store := range p.stores() {
		having := in(store, parts)
		if len(having) == 0 {
			continue
		}
		working.Go(func() {
			some, err := do(store, having)
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(all, some)
			if err != nil {
				failed = append(failed, err)
			}
		})
	}
	working.Wait()
	if len(failed) == 1 {
		return all, failed[0]
	}
	return all, errors.Join(failed...)
}

// states asks each store.
func (p *place) states(probe func(imageStore) (images.States, error)) (images.States, error) {
	return across(p, p.Names(), func(store imageStore, _ []string) (map[string]images.State, error) {
		return probe(store)
	})
}

// Names implements imageStore.
func (p *place) Names() []string {
	var names []string
	for _, store := range p.stores() {
		names = append(names, store.Names()...)
	}
	return names
}

// Probe implements imageStore.
func (p *place) Probe(ctx context.Context) (images.States, error) {
	return p.states(func(store imageStore) (images.States, error) { return store.Probe(ctx) })
}

// ProbeContent implements imageStore.
func (p *place) ProbeContent(ctx context.Context) (images.States, error) {
	return p.states(func(store imageStore) (images.States, error) { return store.ProbeContent(ctx) })
}

// ProbeUse implements imageStore.
func (p *place) ProbeUse(ctx context.Context) (images.States, error) {
	return p.states(func(store imageStore) (images.States, error) { return store.ProbeUse(ctx) })
}

// Containers implements imageStore.
func (p *place) Containers(ctx context.Context, parts []string) (images.States, error) {
	return across(p, parts, func(store imageStore, parts []string) (map[string]images.State, error) {
		return store.Containers(ctx, parts)
	})
}

// Deliver implements imageStore, for parts of one store.
func (p *place) Deliver(ctx context.Context, what images.Delivering) images.Delivery {
	return p.having(what.Parts).Deliver(ctx, what)
}

// GiveNames implements imageStore, for parts of one store.
func (p *place) GiveNames(ctx context.Context, parts []string, imageID string, names []images.Name) error {
	return p.having(parts).GiveNames(ctx, parts, imageID, names)
}

// Tag implements imageStore.
func (p *place) Tag(ctx context.Context, parts []string, ops []images.TagOp) (map[string][]images.Tagged, error) {
	return across(p, parts, func(store imageStore, parts []string) (map[string][]images.Tagged, error) {
		return store.Tag(ctx, parts, ops)
	})
}

// Untag implements imageStore.
func (p *place) Untag(ctx context.Context, parts []string, ops []images.UntagOp) (map[string][]images.Untagged, error) {
	return across(p, parts, func(store imageStore, parts []string) (map[string][]images.Untagged, error) {
		return store.Untag(ctx, parts, ops)
	})
}

// Disown implements imageStore.
func (p *place) Disown(ctx context.Context, parts []string, ops []images.UntagOp) error {
	_, err := across(p, parts, func(store imageStore, parts []string) (map[string]bool, error) {
		return nil, store.Disown(ctx, parts, ops)
	})
	return err
}

// Free implements imageStore.
func (p *place) Free(ctx context.Context, parts, imageIDs []string) error {
	_, err := across(p, parts, func(store imageStore, parts []string) (map[string]bool, error) {
		return nil, store.Free(ctx, parts, imageIDs)
	})
	return err
}

// Close implements imageStore.
func (p *place) Close() {
	for _, store := range p.stores() {
		store.Close()
	}
}
