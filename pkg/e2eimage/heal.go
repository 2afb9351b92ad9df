package e2eimage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/outlive"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// missingImage is a node that does not have a recorded image under its recorded name, or not as
// the record's.
type missingImage struct {
	node     string
	recorded recorded
	// held is what the node has under that name instead, "" for nothing.
	held string
}

// findMissing compares every node with the records.
func findMissing(records []recorded, states kindnode.States) []missingImage {
	var missing []missingImage
	for _, r := range records {
		for node, state := range within(partOfRecord(r.Evidence), states).All() {
			// Without its owner, any load would move the name.
			if held := state.ID(r.Evidence.Image); held != r.Evidence.ImageID || state.Owners[r.Evidence.Image] == "" {
				missing = append(missing, missingImage{node: node, recorded: r, held: held})
			}
		}
	}
	return missing
}

// heal brings recorded images back to nodes that lost them: from the same image
// under another name of the node, else from another node. Each repair is said.
func (d *deployRun) heal(ctx context.Context) error {
	missing := findMissing(d.records, d.states)
	if len(missing) == 0 {
		return nil
	}
	var hopeless []error
	for _, m := range missing {
		if err := d.healOne(ctx, m); err != nil {
			hopeless = append(hopeless, err)
		}
	}
	return errors.Join(append(hopeless, d.stillRecorded(ctx, missing))...)
}

// stillRecorded takes tags off again whose record went while they were put back:
// what looked lost was being cleaned, or is of a record that has moved on.
func (d *deployRun) stillRecorded(ctx context.Context, missing []missingImage) error {
	finishing, cancel := outlive.WithGracePeriod(ctx, undoLimit)
	defer cancel()
	set, err := d.kube.records.Get(finishing, d.kube.namespace, d.consumer)
	if err != nil {
		return err
	}
	release := map[string][]string{}
	var mistakes []error
	for _, m := range missing {
		name, image := m.recorded.Image.Name, m.recorded.Evidence.Image
		gone, err := withdrawn(set, record.Decision{Name: name, Image: image})
		if err != nil {
			return err
		}
		if gone && release[name] == nil {
			release[name] = []string{image}
			removed := &Error{
				Code: CodeNotRecorded, Image: name, Namespace: d.kube.namespace,
				Fix: "record it again: " + typedAt("tag", name, d.kube.namespace, d.consumer, d.in.Suite),
			}
			mistakes = append(mistakes, &InconsistentError{
				removed.says("%s: the record of %s was removed while it was being deployed", name, image),
			})
		}
	}
	if len(release) > 0 {
		mistakes = append(mistakes, d.client.release(finishing, d.kube, d.place, d.consumer, release))
	}
	return errors.Join(mistakes...)
}

func (d *deployRun) healOne(ctx context.Context, m missingImage) error {
	evidence := m.recorded.Evidence
	if m.held != "" && d.nodeWith(evidence.Image, evidence.ImageID) == "" {
		// Not one that went astray: this content may be meant.
		other := d.lost(m, CodeConflict)
		other.Fix = "tag the right image: " + d.toTag(m)
		return &InconsistentError{other.says("%s: on %s, %s is %s instead of the recorded %s, and no node has the "+
			"recorded image under this name",
			m.recorded.Image.Name, nodesOf([]string{m.node}), evidence.Image, ociimage.ShortID(m.held),
			ociimage.ShortID(evidence.ImageID))}
	}
	how := "from another name of the same image there"
	if d.states[m.node].ID(evidence.ImageID) == "" {
		from := d.nodeWith(evidence.Image, evidence.ImageID)
		var err error
		if from != "" {
			copying := d.client.report.Start(step("Copying", "Copied",
				fmt.Sprintf("%s from %s to %s", evidence.Image, from, m.node)))
			err = d.place.nodes.Copy(ctx, from, m.node, evidence.Image)
			copying.End(err)
		} else if from, err = d.loadFromHost(ctx, m); from == "" && err == nil {
			return &InconsistentError{d.gone(m)}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return &InconsistentError{d.lost(m, CodeNotLoaded).says("%s: %s lost %s, and it could not be restored "+
				"from %s: %w", m.recorded.Image.Name, nodesOf([]string{m.node}), evidence.Image, from, err)}
		}
		how = "from " + from
	}
	done, err := d.place.Tag(ctx, []string{m.node}, []kindnode.TagOp{{
		ImageID: evidence.ImageID, Target: evidence.Image, Owner: d.owner(m.recorded.Image.Name), Back: true,
	}})
	if err != nil {
		return err
	}
	if got := done[m.node][0].ImageID; got != evidence.ImageID {
		return &InconsistentError{d.lost(m, CodeNotLoaded).says("%s: %s could not be repaired: its container "+
			"runtime has %q under %s", m.recorded.Image.Name, nodesOf([]string{m.node}), got, evidence.Image)}
	}
	switch m.held {
	case evidence.ImageID:
		d.client.report.Info(fmt.Sprintf("%s had %s without the label of its record; put it back",
			nodesOf([]string{m.node}), evidence.Image))
	case "":
		d.client.report.Info(fmt.Sprintf("%s had lost %s; restored it %s", nodesOf([]string{m.node}), evidence.Image,
			how))
	default:
		d.client.report.Info(fmt.Sprintf("on %s, %s was %s; restored it %s", nodesOf([]string{m.node}), evidence.Image,
			ociimage.ShortID(m.held), how))
	}
	return nil
}

// nodeWith returns a node that has the image under its recorded name, "" where none has.
func (d *deployRun) nodeWith(image, imageID string) string {
	for _, node := range d.states.Having(image, imageID) {
		return node
	}
	return ""
}

// gone says that no node can give the image back, and what the node has instead.
func (d *deployRun) gone(m missingImage) error {
	evidence := m.recorded.Evidence
	gone := d.lost(m, CodeNotLoaded)
	gone.Fix = fmt.Sprintf("load %s again, then: %s", cmp.Or(strings.TrimSpace(evidence.Source), "it"), d.toTag(m))
	return gone.says("%s: %s does not have %s (%s), and no other node or engine of this host does%s",
		m.recorded.Image.Name, nodesOf([]string{m.node}), evidence.Image, ociimage.ShortID(evidence.ImageID),
		similar(evidence.Image, kindnode.States{m.node: d.states[m.node]}))
}

// lost is the finding that a node does not have a recorded image.
func (d *deployRun) lost(m missingImage, code Code) *Error {
	return &Error{Code: code, Image: m.recorded.Image.Name, Node: m.node, Namespace: d.kube.namespace}
}

// toTag is what to type to record it again.
func (d *deployRun) toTag(m missingImage) string {
	return typedAt("tag", m.recorded.Image.Name, d.kube.namespace, d.consumer,
		toItsRegistry(d.in.Suite, m.recorded.Evidence))
}
