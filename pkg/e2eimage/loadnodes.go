package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/images"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// loadRun is the loading of one image.
type loadRun struct {
	client *Client
	in     LoadInput
	place  *place
	image  config.Image
	// states are those of the nodes to load into, all those of every node.
	states, all kindnode.States
	// lock may be nil; entry is what it says of the image, owner what the name
	// that is recorded there is labelled with.
	lock  *locks
	entry *lock.Entry
	owner string
	// consumer that it is loaded for.
	consumer string
	// sets are the namespace's records; recordedAs is what the recorded name stands for
	// there, where that is another image.
	sets       []*record.Set
	recordedAs string
	// engine that has the image, and what that calls its ID.
	engine, engineID string
}

func (r *loadRun) load(ctx context.Context) (*LoadedImage, error) {
	f, err := r.source(ctx)
	if err != nil {
		return nil, err
	}
	defer f.close()
	if f.engine != nil {
		r.engine, r.engineID = f.engine.Engine, f.engine.EngineID
	}
	lacking := r.states.NotWhole(f.image)
	if f.image.ID != "" {
		if err := r.nameIt(f, f.image); err != nil {
			return nil, err
		}
		if err := r.checkNames(f.names); err != nil {
			return nil, err
		}
	}
	if r.in.DryRun {
		return r.plan(f, lacking), nil
	}
	delivered := map[string]kindnode.Delivered{}
	begun := time.Now()
	image := f.image
	working := r.client.report.Start(progress.Step{Doing: doing(f.text, lacking, r.states.Nodes())})
	if len(lacking) > 0 {
		image, delivered, err = r.send(ctx, f, lacking, r.having(lacking), working)
	}
	took := time.Since(begun)
	named := r.unnamed(f, lacking)
	if len(lacking) == 0 && len(named) > 0 {
		err = r.place.GiveNames(ctx, r.states.Nodes(), f.image.ID.String(), f.names)
	}
	if err != nil {
		working.End(err)
		return nil, err
	}
	r.all.Delivered(r.states.Nodes(), image, f.names, delivered)
	loaded := r.result(f, image, delivered, named, took)
	loaded.Digest = r.digest(loaded)
	working.Result(loaded.summary())
	working.End(nil)
	// What was adopted, an external or a prebuilt image, is not ours to remove.
	if r.in.Release && f.engine != nil && r.ours(f) {
		if err := r.release(ctx, f); err != nil {
			return loaded, fmt.Errorf("every node has it, but it could not be removed from %s: %w", f.engine.Engine, err)
		}
		loaded.Released = true
	}
	return loaded, nil
}

// ours tells whether the engine's copy may go: what was adopted may not.
func (r *loadRun) ours(f *from) bool {
	if f.pinned {
		return r.entry.Ours()
	}
	return f.text == r.image.Source && f.text != r.image.Prebuilt
}

// release takes the names off the host that the image was built under.
func (r *loadRun) release(ctx context.Context, f *from) error {
	if !f.pinned {
		return f.engine.Remove(ctx, r.client.runner)
	}
	for _, name := range []string{r.entry.Image, r.entry.Source} {
		if _, err := r.client.nameOffHost(ctx, lock.Superseded{
			Image: name, Engine: r.entry.Engine,
			EngineID: r.entry.EngineID,
		}, false); err != nil {
			return err
		}
	}
	return nil
}

// checkNames refuses to move a name that a record owns.
func (r *loadRun) checkNames(names []kindnode.Name) error {
	for node, state := range r.states.All() {
		for _, name := range names {
			if owner := state.Owners[name.Text]; owner != "" && owner != name.Owner {
				return r.notOurs(node, name.Text, owner)
			}
		}
	}
	return nil
}

// send delivers the image to the nodes that lack it, and names it there and where it
// was.
func (r *loadRun) send(ctx context.Context, f *from, lacking, having []string,
	working progress.Running,
) (ociimage.Image, map[string]kindnode.Delivered, error) {
	image, delivered, err := r.deliver(ctx, f, lacking, having,
		&transfer{working: working, sent: map[string]int64{}, total: r.totals(f, lacking)})
	if in := r.registry(); in != nil {
		return image, delivered, in.explain(err)
	}
	var failed kindnode.NodeErrors
	if errors.As(err, &failed) && len(failed) < len(lacking) {
		var others []string
		for _, node := range lacking {
			if failed[node] == nil {
				others = append(others, node)
			}
		}
		err = fmt.Errorf("%w\n%s got it; run again for the others", err, strings.Join(others, ", "))
	}
	return image, delivered, err
}

func (r *loadRun) deliver(ctx context.Context, f *from, lacking, having []string,
	moved *transfer,
) (ociimage.Image, map[string]kindnode.Delivered, error) {
	source, err := f.open(ctx, r, lacking)
	if err != nil {
		return ociimage.Image{}, nil, err
	}
	defer func() { _ = source.Close() }()
	delivery := r.place.Deliver(ctx, images.Delivering{
		Parts: lacking, States: r.states, Known: f.image, Names: f.names, Repository: r.image.Repository, Watch: moved.add,
	})
	image, err := images.Read(ctx, source, delivery)
	if err == nil && f.image.ID != "" && image.ID != f.image.ID {
		err = fmt.Errorf("the image changed while it was read: %s instead of %s; run again",
			ociimage.ShortID(image.ID.String()), ociimage.ShortID(f.image.ID.String()))
	}
	if err == nil && f.names == nil {
		if err = r.nameIt(f, named(image, f.image)); err == nil {
			err = r.checkNames(f.names)
		}
	}
	if err != nil {
		delivery.Abort()
		return image, nil, err
	}
	delivered, err := delivery.Finish(ctx, image, f.names, having)
	return image, delivered, err
}

// named adds the names that an engine says to what its archive says.
func named(image, known ociimage.Image) ociimage.Image {
	image.Names = append(slices.Clone(image.Names), known.Names...)
	return image
}

// having are the nodes that lack nothing of the image.
func (r *loadRun) having(lacking []string) []string {
	return slices.DeleteFunc(r.states.Nodes(), func(node string) bool { return slices.Contains(lacking, node) })
}

// unnamed are nodes that have the image, but not under all of its names.
func (r *loadRun) unnamed(f *from, lacking []string) []string {
	return slices.DeleteFunc(r.having(lacking), func(node string) bool {
		state := r.states[node]
		return !slices.ContainsFunc(f.names, func(name kindnode.Name) bool {
			return state.ID(name.Text) != f.image.ID.String() || !state.Names[name.Text] || state.Owners[name.Text] != name.Owner
		})
	})
}

// plan is what a dry run answers.
func (r *loadRun) plan(f *from, lacking []string) *LoadedImage {
	planned := r.result(f, f.image, nil, nil, 0)
	for i, node := range planned.Nodes {
		if slices.Contains(lacking, node.Node) {
			planned.Nodes[i].Layers = len(r.states[node.Node].Missing(f.image, r.states.KnowsLayer))
		}
	}
	what := "nothing to send"
	if len(lacking) > 0 {
		what = "would send"
		for _, node := range planned.Nodes {
			if slices.Contains(lacking, node.Node) {
				what += fmt.Sprintf("\n  %d of %d layers to %s", node.Layers, len(f.image.DiffIDs), node.Node)
			}
		}
		if len(f.image.DiffIDs) == 0 {
			what = fmt.Sprintf("only reading %s tells what would be sent to %s", f.text, nodesOf(lacking))
		}
	}
	r.client.report.Info(fmt.Sprintf("%s: %s", f.text, what))
	return planned
}

func (r *loadRun) result(f *from, image ociimage.Image, delivered map[string]kindnode.Delivered, named []string,
	took time.Duration,
) *LoadedImage {
	loaded := &LoadedImage{
		Name: r.image.Name, Names: []string{}, ImageID: image.ID.String(), Source: f.text, Platform: r.states.Platform(),
		Nodes: []LoadedNode{},
	}
	for _, name := range f.names {
		loaded.Names = append(loaded.Names, name.Text)
	}
	if len(f.names) > 0 {
		loaded.Image = f.names[0].Text
	}
	for _, node := range r.states.Nodes() {
		done := delivered[node]
		one := LoadedNode{Node: node, Sent: done.Sent, Layers: done.Layers, Named: slices.Contains(named, node)}
		if done.Layers > 0 {
			one.Seconds = seconds(took)
		}
		loaded.Sent += done.Sent
		loaded.Bytes = max(loaded.Bytes, done.Bytes)
		loaded.Nodes = append(loaded.Nodes, one)
	}
	if loaded.Bytes == 0 {
		for _, diffID := range image.DiffIDs {
			bytes, _ := r.states.LayerSize(diffID)
			loaded.Bytes += bytes
		}
	}
	return loaded
}
