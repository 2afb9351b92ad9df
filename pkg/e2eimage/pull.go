package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// parallelPulls is how many images are pulled at once.
const parallelPulls = 4

// pullExternal pulls the suite's external images, several at once, as far as they are
// pulled, and go from this host to the place. It returns what failed, by name.
func (c *Client) pullExternal(ctx context.Context, suite config.Suite, to *place) map[string]error {
	failed := make([]error, len(suite.Images))
	var pulling errgroup.Group
	pulling.SetLimit(parallelPulls)
	for i, image := range suite.Images {
		if image.External != "" && !to.leavesToNodes(image) {
			pulling.Go(func() error {
				failed[i] = c.pull(ctx, suite, image, image.External)
				return nil
			})
		}
	}
	_ = pulling.Wait() // each says its error itself
	byName := map[string]error{}
	for i, err := range failed {
		if err != nil {
			byName[suite.Images[i].Name] = err
		}
	}
	return byName
}

// pull makes sure that an engine of the host has an image of a registry, where the image is
// pulled at all.
func (c *Client) pull(ctx context.Context, suite config.Suite, image config.Image, reference string) error {
	if missing, err := c.pulls(ctx, suite, image, reference); err != nil || !missing {
		return err
	}
	by, err := c.chooseEngine(ctx, suite)
	if err != nil {
		return err
	}
	pulling := c.report.Start(progress.Step{Doing: fmt.Sprintf("Pulling %s with %s", reference, by)})
	err = engine.Pull(ctx, c.runner, by, reference, func(failed error) {
		c.report.Warn(fmt.Sprintf("%s: the pull failed and is tried again: %v", image.Name, failed))
	})
	if err == nil {
		pulling.Result(fmt.Sprintf("Pulled %s with %s", reference, by))
	}
	pulling.End(err)
	if err != nil {
		return &Error{Code: CodeSource, Image: image.Name, Err: err}
	}
	return nil
}

// pulls tells whether an image would be pulled now.
func (c *Client) pulls(ctx context.Context, suite config.Suite, image config.Image, reference string) (bool, error) {
	source, err := config.ParseSource(reference)
	// No registry is called localhost; one there has a port.
	isRemote := err == nil && source.Kind == config.SourceReference && !strings.HasPrefix(source.Value, "localhost/")
	if !isRemote || image.Pulls() == config.PullNever {
		return false, nil
	}
	if image.Pulls() == config.PullAlways {
		return true, nil
	}
	_, err = engine.Find(ctx, c.runner, suite.Engine, reference)
	var absent *engine.NotFoundError
	if errors.As(err, &absent) {
		return true, nil
	}
	return false, err
}
