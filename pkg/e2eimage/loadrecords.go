package e2eimage

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// recordsFor are those of the namespace, which say whose a name is where nodes do not.
// Whoever may not read them goes by the nodes.
func (p *target) recordsFor(ctx context.Context, c *Client, suite config.Suite) ([]*record.Set, error) {
	suite.Consumer = p.consumer
	_, all, err := p.kube.setsAmong(ctx, suite)
	if apierrors.IsForbidden(err) {
		c.report.Info(fmt.Sprintf("you may not read the records in namespace %s: images are compared with the nodes only",
			p.kube.namespace))
		return nil, nil
	}
	return all, err
}

// checkRecords holds the name that the lock has decided against what is recorded and
// claimed: a node that lost a name does not say whose it was.
func (r *loadRun) checkRecords(imageID string) error {
	for _, set := range r.sets {
		for _, name := range set.Names() {
			evidence, err := set.Entry(name)
			stands, has := "", false
			if evidence != nil {
				// Also of one that was changed by hand.
				stands, has = evidence.StandsFor(r.entry.Image)
			}
			switch {
			case !has:
			case set.Consumer != r.consumer || name != r.image.Name:
				taken := &Error{
					Code: CodeConflict, Image: r.image.Name,
					Fix: "choose another --tag or --repository, and build it again: " + typed("build", r.image.Name, r.in.Suite),
				}
				return &InconsistentError{taken.says("%s is recorded, or about to be, for %s of consumer %s",
					r.entry.Image, name, set.Consumer)}
			case err != nil:
				return err
			case evidence.State == record.Releasing:
				return &record.ReleasingError{Set: set, Name: name, Image: r.entry.Image}
			case stands != imageID:
				r.recordedAs = stands
			}
		}
	}
	return nil
}

// moves tells whether the recorded name stands for other content, on a node or in the
// record: images of a tagGroup share it. Until tag moves it, the record is right.
func (r *loadRun) moves(imageID string) bool {
	if r.recordedAs != "" {
		return true
	}
	for _, state := range r.all {
		if held := state.ID(r.entry.Image); held != "" && held != imageID && state.Owners[r.entry.Image] == r.owner {
			return true
		}
	}
	return false
}

// notOurs refuses to move a name that a record has.
func (r *loadRun) notOurs(node, name, owner string) error {
	taken := &Error{
		Code: CodeConflict, Image: r.image.Name, Node: node, Fix: "give the image another name where it is built",
	}
	if namespace, consumer, image, ok := record.ParseOwner(owner); ok {
		taken.Fix += fmt.Sprintf(", or remove that record: %s --scope=cluster",
			typedAt("clean", image, namespace, consumer, r.in.Suite))
	}
	return &InconsistentError{taken.says("on %s, %s is the recorded image of %s (namespace.consumer.name) and must "+
		"keep its content", nodesOf([]string{node}), name, owner)}
}
