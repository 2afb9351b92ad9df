package e2eimage

import (
	"context"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
)

// loadFromHost brings a recorded image back to a node from an engine of this host
// that has it. It returns the engine, "" when none has.
func (d *deployRun) loadFromHost(ctx context.Context, l lack) (string, error) {
	evidence := l.recorded.Evidence
	found, err := engine.Find(ctx, d.client.runner, "", evidence.ImageID)
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err != nil || found.Known().ID.String() != evidence.ImageID {
		// Not there under its ID, or not to be told: nothing to heal from.
		return "", nil
	}
	states, err := d.client.ask(ctx, d.cluster, (*kindnode.Cluster).ProbeContent)
	if err != nil {
		return found.Engine, err
	}
	run := &loadRun{client: d.client, cluster: d.cluster, image: config.Image{Name: l.recorded.Image.Name}, states: states}
	_, _, err = run.send(ctx, &from{text: evidence.Image, engine: &found, image: found.Known(), names: []kindnode.Name{{Text: evidence.Image, Owner: d.owner(l.recorded.Image.Name)}}}, []string{l.node})
	return found.Engine, err
}
