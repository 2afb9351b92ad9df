package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/internal/nearest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// LoadInput is what Load needs.
type LoadInput struct {
	Suite config.Suite
	// Stdin is what the source "-" reads.
	Stdin io.Reader
	// Nodes to load into; none for all. What only some nodes have cannot be tagged, and
	// is not noted in the lock.
	Nodes []string
	// Release takes the image out of the engine when all nodes have it.
	Release bool
	// DryRun reports what would be sent but sends nothing.
	DryRun bool
}

// LoadResult is what Load brought into the nodes, in the order of the suite's
// images.
type LoadResult struct {
	Images []LoadedImage `json:"images"`
}

// LoadedImage is one image that is on every node.
type LoadedImage struct {
	Name string `json:"name"`
	// Image is the name that the nodes have it under; Names are all of them.
	Image   string   `json:"image"`
	Names   []string `json:"names"`
	ImageID string   `json:"imageID"`
	// Digest of the index or manifest in the registry, "" for nodes.
	Digest   string `json:"digest,omitempty"`
	Source   string `json:"source"`
	Platform string `json:"platform"`
	// Bytes of all its layers together, without compression; 0 where the plan of
	// a dry run does not know.
	Bytes int64 `json:"bytes"`
	// Sent to all nodes together, in bytes.
	Sent  int64        `json:"sent"`
	Nodes []LoadedNode `json:"nodes"`
	// Released is set when the image was taken out of the engine.
	Released bool `json:"released"`
}

// LoadedNode is what became of an image on one node.
type LoadedNode struct {
	Node string `json:"node"`
	// Sent are the bytes that went there, in so many layers.
	Sent   int64 `json:"sent"`
	Layers int   `json:"layers"`
	// Named is set when nothing but a name was missing.
	Named bool `json:"named"`
	// Seconds that it took.
	Seconds float64 `json:"seconds"`
}

// Load puts the suite's images on every node under their sources' names, or pushes them to
// their registry, where they get their sources' tags. Only
// layers that a node lacks are read and sent, once for all nodes. Nothing is
// removed from nodes. A node that fails does not keep the others from getting
// the image; running it again sends what is missing.
func (c *Client) Load(ctx context.Context, in LoadInput) (*LoadResult, error) {
	return verb(ctx, in, c.load)
}

func (c *Client) load(ctx context.Context, in LoadInput) (*LoadResult, error) {
	var err error
	if in.Suite, err = inCluster(in.Suite); err != nil {
		return nil, err
	}
	if in.Suite, err = c.settle(ctx, in.Suite); err != nil {
		return nil, err
	}
	target, err := c.openTarget(ctx, in.Suite)
	if err != nil {
		return nil, err
	}
	defer target.place.Close()
	var notPulled map[string]error
	if !in.DryRun {
		notPulled = c.pullExternal(ctx, in.Suite, target.place)
	}
	return c.loadInto(ctx, in, target, notPulled)
}

// loadInto is Load where the cluster is known. The nodes are asked once: what an image has
// brought to them is known then. After one that failed it is not. notPulled are the external
// images that could not be had, with why.
func (c *Client) loadInto(ctx context.Context, in LoadInput, target *target,
	notPulled map[string]error,
) (*LoadResult, error) {
	result := &LoadResult{Images: []LoadedImage{}}
	var mistakes []error
	var sets []*record.Set
	var states kindnode.States
	for _, image := range in.Suite.Images {
		if err := notPulled[image.Name]; err != nil && ctx.Err() == nil {
			mistakes = append(mistakes, &imageError{image.Name, err})
			continue
		}
		if in.DryRun && image.External != "" && !target.place.leavesToNodes(image) {
			if is, err := c.pulls(ctx, in.Suite, image, image.External); err == nil && is {
				c.report.Info(fmt.Sprintf("%s: would pull %s, and load it", image.Name, image.External))
				continue
			}
		}
		run := &loadRun{client: c, in: in, place: target.place, image: image}
		var err error
		if states == nil {
			states, err = c.lookInto(ctx, target)
		}
		if run.all = target.place.of(image, states); err == nil {
			run.states, err = onNodes(in.Nodes, run.all)
		}
		if err != nil {
			return result, errors.Join(append(mistakes, err)...)
		}
		if run.pullsItself() {
			continue
		}
		run.useLock(target)
		if run.pinned() && sets == nil {
			if sets, err = target.recordsFor(ctx, c, in.Suite); err != nil {
				return result, errors.Join(append(mistakes, err)...)
			}
		}
		run.sets = sets
		loaded, err := run.load(ctx)
		maps.Copy(states, run.all)
		if err == nil && run.partly() {
			run.sayPartly(loaded)
		}
		if err == nil {
			err = run.note(ctx, loaded)
		}
		if loaded != nil {
			result.Images = append(result.Images, *loaded)
		}
		if cause := context.Cause(ctx); cause != nil {
			if err == nil || !errors.Is(err, cause) {
				err = errors.Join(cause, err)
			}
			return result, err
		}
		if err != nil {
			states, mistakes = nil, append(mistakes, &imageError{image.Name, err})
		}
	}
	return result, errors.Join(mistakes...)
}

// lookInto asks the nodes what they have, and makes sure that they are the API server's.
func (c *Client) lookInto(ctx context.Context, target *target) (kindnode.States, error) {
	states, err := c.ask(ctx, target.place, imageStore.ProbeContent)
	if err != nil {
		return nil, err
	}
	return states, target.kube.checkRightCluster(ctx, target.place, states)
}

// onNodes are the states of those nodes, of all for none.
func onNodes(nodes []string, states kindnode.States) (kindnode.States, error) {
	if len(nodes) == 0 {
		return states, nil
	}
	there := states.Nodes()
	if in := registryIn(states); in != "" {
		return nil, &UsageError{fmt.Errorf("nodes cannot be chosen where they pull: the images go to %s", in)}
	}
	chosen := kindnode.States{}
	var mistakes []error
	for _, node := range nodes {
		state, ok := states[node]
		if !ok {
			message := fmt.Sprintf("there is no node %q; the nodes are %s", node, strings.Join(there, ", "))
			if near := nearest.Word(node, there); near != "" {
				message += fmt.Sprintf("; did you mean %q?", near)
			}
			mistakes = append(mistakes, errors.New(message))
			continue
		}
		chosen[node] = state
	}
	if len(mistakes) > 0 {
		return nil, &UsageError{errors.Join(mistakes...)}
	}
	return chosen, nil
}

// partly tells whether nodes were left out.
func (r *loadRun) partly() bool { return len(r.states) < len(r.all) }

// sayPartly says what is true of an image that not every node has.
func (r *loadRun) sayPartly(loaded *LoadedImage) {
	without := slices.DeleteFunc(r.all.Lacking(loaded.Image, loaded.ImageID), func(node string) bool {
		_, chosen := r.states[node]
		return chosen
	})
	if len(without) == 0 || loaded.Image == "" {
		return
	}
	r.client.report.Warn(fmt.Sprintf("%s: %s did not get the image; a tag needs it on every node, so load it without "+
		"--nodes before you tag it",
		loaded.Image, strings.Join(without, ", ")))
}

// summary is what a load is worth saying. A node that is sent more than others counts.
func (l *LoadedImage) summary() string {
	var sent, named []string
	var most int64
	for _, node := range l.Nodes {
		most = max(most, node.Sent)
		if node.Layers > 0 {
			sent = append(sent, node.Node)
		} else if node.Named {
			named = append(named, node.Node)
		}
	}
	switch {
	case len(sent) > 0:
		return fmt.Sprintf("Copied %s to %s (sent %s of %s)", l.Image, nodesOf(sent), progress.Bytes(most),
			progress.Bytes(l.Bytes))
	case len(named) > 0:
		return fmt.Sprintf("Named %s on %s, which had the image under another name", l.Image, nodesOf(named))
	}
	if len(l.Nodes) == 1 && isRegistry(l.Nodes[0].Node) {
		return fmt.Sprintf("Nothing to push: %s has %s already", l.Nodes[0].Node, l.Image)
	}
	return fmt.Sprintf("Nothing to copy: %s is on %s already", l.Image, onAll(len(l.Nodes)))
}
