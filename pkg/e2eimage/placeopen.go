package e2eimage

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/registry"
)

// open finds where the suite's images go, for verbs that write. The caller closes it.
func (c *Client) open(ctx context.Context, kube *apiServer, suite config.Suite) (_ *place, err error) {
	choices, err := c.choose(ctx, suite)
	if err != nil {
		return nil, err
	}
	p := newPlace(kube, suite)
	defer p.closeAfter(&err)
	onNodes := false
	for _, text := range sortedKeys(choices) {
		p.by[text] = ""
		if !choices[text].Chosen() {
			onNodes = true
			continue
		}
		if p.by[text], err = p.add(c, choices[text]); err != nil {
			return nil, err
		}
	}
	if onNodes {
		if p.nodes, err = c.find(ctx, suite); err != nil {
			return nil, c.orAnnounced(ctx, suite, err)
		}
	}
	return p, nil
}

// openRecorded finds where the images of records are, for verbs that go by these: what
// the suite says now may be another place. Without a record it is open. asked tells which records
// matter.
func (c *Client) openRecorded(ctx context.Context, kube *apiServer, suite config.Suite, sets []*record.Set,
	asked func(set *record.Set, name string) bool,
) (_ *place, err error) {
	p := newPlace(kube, suite)
	defer p.closeAfter(&err)
	onNodes, known := false, false
	choices := map[string]registry.Choice{}
	for _, set := range sets {
		for _, name := range set.Names() {
			if !asked(set, name) {
				continue
			}
			known = true
			recorded := registriesOf(set, name)
			onNodes = onNodes || len(recorded) == 0
			for _, in := range recorded {
				if len(choices) == 0 {
					if choices, err = c.choose(ctx, suite); err != nil {
						return nil, err
					}
				}
				choice, err := c.choiceOf(in, choices)
				if err == nil {
					_, err = p.add(c, choice)
				}
				if err != nil {
					return nil, err
				}
			}
		}
	}
	if !known {
		return c.open(ctx, kube, suite)
	}
	if onNodes {
		if p.nodes, err = c.find(ctx, suite); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// closeAfter closes what is open already where the rest cannot be opened.
func (p *place) closeAfter(err *error) {
	if *err != nil {
		p.Close()
	}
}

// registriesOf are those that a record's images are in; none for one of nodes, and for one that
// cannot be read.
func registriesOf(set *record.Set, name string) []*record.Registry {
	evidence, _ := set.Entry(name) // what is wrong with it is told where it is used
	if evidence == nil {
		return nil
	}
	var all []*record.Registry
	if evidence.Registry != nil {
		all = append(all, evidence.Registry)
	}
	if claim := evidence.Claim; claim != nil && claim.Registry != nil {
		all = append(all, claim.Registry)
	}
	return all
}

// choiceOf is the registry of a record: as the suite reaches it, else as who recorded it did.
func (c *Client) choiceOf(in *record.Registry, choices map[string]registry.Choice) (registry.Choice, error) {
	for _, text := range sortedKeys(choices) {
		if choices[text].Pull == in.Pull {
			return choices[text], nil
		}
	}
	choice, err := registry.Choose(cmp.Or(in.Push, in.Pull), nil)
	if err != nil {
		return registry.Choice{}, fmt.Errorf("the record's registry: %w", err)
	}
	// Plain http has to be said by who would send a login over it, not by a record.
	choice.Pull, choice.PlainHTTP = in.Pull, false
	return choice, nil
}

func newPlace(kube *apiServer, suite config.Suite) *place {
	return &place{suite: suite, by: map[string]string{}, asker: newAsker(kube, suite)}
}

// add opens a registry, once, and returns its name as a part.
func (p *place) add(c *Client, choice registry.Choice) (string, error) {
	if slices.ContainsFunc(p.registries, func(one *registryStore) bool { return one.choice.Pull == choice.Pull }) {
		return choice.Part(), nil
	}
	one, err := c.openRegistry(choice, p.asker.asks)
	if err != nil {
		return "", err
	}
	p.registries = append(p.registries, one)
	return choice.Part(), nil
}

// knows tells the place whose images it is asked for.
func (p *place) knows(consumer string, lock *locks) { p.asker.consumer, p.asker.lock = consumer, lock }

// orAnnounced adds to a Kind cluster that is not here that there is a registry to go through.
func (c *Client) orAnnounced(ctx context.Context, suite config.Suite, err error) error {
	if !as[*kindnode.NotFoundError](err) {
		return err
	}
	if announced := c.announced(ctx, suite); announced != nil {
		return fmt.Errorf("%w\nthe cluster announces a registry; to go through that: --registry %s", err, announced.Host)
	}
	return err
}
