package kindnode

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/containerd"
)

// agreeRounds bounds how often nodes follow a first node that changes its mind. It
// changes as often as loads begin at the same time.
const agreeRounds = 20

// GiveNames gives an image that the nodes have names, also such as stand for others.
//
// Where two runs give one name to different images at once, the first node decides: it
// is named before the others, and asked after them. Whoever finds another image there
// lets the others follow it, and fails with a MovedError. So all nodes have the same
// when the last of the runs has ended, and only a run that is right succeeds.
func (c *Cluster) GiveNames(ctx context.Context, nodes []string, imageID string, names []Name) error {
	return c.giveNames(ctx, nodes, imageID, names, nil)
}

// giveNames knows what stands for the image on nodes where no name does yet.
func (c *Cluster) giveNames(ctx context.Context, nodes []string, imageID string, names []Name,
	described map[string]*containerd.Descriptor,
) error {
	nodes = slices.Sorted(slices.Values(nodes))
	failed := NodeErrors{}
	give := func(nodes []string) {
		_, err := change(ctx, c, nodes, names,
			func(ctx context.Context, client *containerd.Client, name Name) (struct{}, error) {
				target, err := described[client.Node()], error(nil)
				if target == nil {
					target, err = contentOf(ctx, client, imageID)
				}
				if err == nil {
					err = giveName(ctx, client, name, imageID, target)
				}
				return struct{}{}, err
			})
		var of NodeErrors
		if errors.As(err, &of) {
			maps.Copy(failed, of)
		}
	}
	give(nodes[:1])
	var taken *TakenError
	var moved *MovedError
	var gone *GoneError
	if err := failed[nodes[0]]; errors.As(err, &taken) || errors.As(err, &moved) {
		return failed
	}
	give(nodes[1:])
	// Who was moved on one of the others will see who is right; so will whose image went
	// with the only name that it had, once another image got that.
	maps.DeleteFunc(failed, func(_ string, err error) bool { return errors.As(err, &moved) || errors.As(err, &gone) })
	if len(failed) > 0 {
		return failed
	}
	for _, name := range names {
		if err := c.agree(ctx, nodes, name, imageID); err != nil {
			return err
		}
	}
	return nil
}

// agree makes the nodes have under a name what the first of them has.
func (c *Cluster) agree(ctx context.Context, nodes []string, name Name, imageID string) error {
	for range agreeRounds {
		held, err := forEach(nodes, func(node string) (string, error) {
			client, err := c.client(ctx, node)
			if err != nil {
				return "", err
			}
			image, err := client.Image(ctx, name.Text)
			return image.ID, err
		})
		if err != nil {
			return err
		}
		right := held[nodes[0]]
		var astray []string
		for _, node := range nodes {
			if held[node] != right {
				astray = append(astray, node)
			}
		}
		switch {
		case len(astray) == 0 && right == imageID:
			return nil
		case len(astray) == 0, right == "":
			return &MovedError{Name: name.Text, ImageID: right}
		}
		_, err = change(ctx, c, astray, []string{right},
			func(ctx context.Context, client *containerd.Client, right string) (struct{}, error) {
				target, err := contentOf(ctx, client, right)
				if err == nil {
					err = giveName(ctx, client, name, right, target)
				}
				return struct{}{}, err
			})
		var moved *MovedError
		var gone *GoneError
		if errors.As(err, &gone) && right == imageID {
			return err
		}
		if err != nil && !errors.As(err, &moved) {
			return fmt.Errorf("%w\nanother load gave %s to %s at the same time, and not all nodes have that: run that load "+
				"again, or this one", err, name.Text, right)
		}
	}
	return &MovedError{Name: name.Text}
}
