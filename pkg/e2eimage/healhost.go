package e2eimage

import (
	"context"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
)

// loadFromHost brings a recorded image back to a node from an engine of this host
// that has it. It returns the engine, "" when none has.
func (d *deployRun) loadFromHost(ctx context.Context, m missingImage) (string, error) {
	evidence := m.recorded.Evidence
	found, err := d.client.findByID(ctx, evidence.ImageID, evidence.EngineID)
	if err != nil || found == nil {
		return "", err
	}
	states, err := d.client.ask(ctx, d.place, imageStore.ProbeContent)
	if err != nil {
		return found.Engine, err
	}
	run := &loadRun{
		client: d.client, place: d.place, image: config.Image{Name: m.recorded.Image.Name},
		states: within(partOfRecord(evidence), states),
	}
	copying := d.client.report.Start(step("Copying", "Copied", evidence.Image+" from "+found.Engine+" to "+m.node))
	_, _, err = run.send(ctx, &from{
		text: evidence.Image, engine: found, image: found.Known(),
		names: []kindnode.Name{{Text: evidence.Image, Owner: d.owner(m.recorded.Image.Name)}},
	}, []string{m.node}, nil,
		copying)
	if in := d.place.registryOf(m.node); in != nil {
		err = in.explain(err)
	}
	copying.End(err)
	return found.Engine, err
}

// findByID finds the image with an image ID in an engine of this host, which may know it
// by an ID of its own only. It returns nil where none has it, or cannot tell.
func (c *Client) findByID(ctx context.Context, imageID, engineID string) (*engine.Image, error) {
	for _, id := range []string{imageID, engineID} {
		if id == "" {
			continue
		}
		found, err := engine.Find(ctx, c.runner, "", id)
		if err == nil {
			err = found.Identify(ctx, c.runner)
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err == nil && found.ImageID == imageID {
			return &found, nil
		}
	}
	return nil, nil
}
