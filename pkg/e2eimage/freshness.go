package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// checkHost compares what this host has by now with what the lock pins: engines by
// their own IDs, and the trees that images were built from.
func (c *Client) checkHost(ctx context.Context, suite config.Suite, lock *locks, allowStale bool) error {
	if lock == nil || suite.Freshness == config.FreshnessOff {
		return nil
	}
	images := recordable(suite)
	stale := make([]error, len(images))
	var looking sync.WaitGroup
	for i, image := range images {
		if entry := lock.entry(image, suite.Prebuilt); entry != nil {
			looking.Go(func() {
				err := c.checkTree(ctx, image, entry, suite)
				if lock.local {
					err = errors.Join(c.checkSource(ctx, image, entry, lock, suite), err)
				}
				stale[i] = err
			})
		}
	}
	looking.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return c.stale(errors.Join(stale...), allowStale)
}

// stale makes a finding an error, or a warning where that is allowed.
func (c *Client) stale(err error, allowed bool) error {
	switch {
	case err == nil:
		return nil
	case allowed:
		c.report.Warn(err.Error())
		return nil
	}
	return &InconsistentError{fmt.Errorf("%w\ngo on all the same: --allow-stale", err)}
}

// checkSource compares what the engine has under the source's name with what was
// built or loaded under it. A source that is gone is not stale.
func (c *Client) checkSource(ctx context.Context, image config.Image, entry *record.Locked, lock *locks, suite config.Suite) error {
	source, err := config.ParseSource(entry.Source)
	if err != nil || source.Kind != config.SourceReference || entry.Engine == "" || entry.EngineID == "" {
		return nil
	}
	found, err := engine.Find(ctx, c.runner, entry.Engine, entry.Source)
	switch {
	case engine.IsGone(err):
		return nil
	case err != nil:
		c.untold(ctx, fmt.Sprintf("%s: whether %s was built anew", image.Name, entry.Source), err)
		return nil
	case found.Is(ctx, c.runner, entry.EngineID, entry.ImageID):
		return nil
	}
	have := fmt.Sprintf("%s: %s in %s is %s (made %s), not %s (%s)",
		image.Name, entry.Source, found.Engine, ociimage.ShortID(found.EngineID), ago(&metav1.Time{Time: found.Created}), ociimage.ShortID(entry.EngineID), lockedHow(entry))
	if entry.Built != nil && isRecorded(image, found.Names) {
		// Another suite's build. Each suite's own is pinned: it does not matter who
		// has the name.
		return nil
	}
	if other := c.ownerOf(found.EngineID, entry.Source, lock); other != "" {
		return fmt.Errorf("%s: suite %s overwrote the reference that both use\nbuild and load this suite's again, or let kubectl e2eimage build keep them apart", have, other)
	}
	if entry.Built != nil {
		return fmt.Errorf("%s: it was built anew past kubectl e2eimage, and not loaded\nbuild it: %s", have, typed("build", image.Name, suite))
	}
	return fmt.Errorf("%s: it was built anew, but not loaded\nload it: %s", have, typed("load", image.Name, suite))
}

// untold says that something could not be found out: that is no reason to stop, but
// silence would pass for a yes.
func (c *Client) untold(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		c.report.Warn(fmt.Sprintf("%s could not be told: %v", what, err))
	}
}

// isRecorded tells whether an image of the host has a name that build gives.
func isRecorded(image config.Image, names []string) bool {
	repository := image.Repository
	if repository == "" {
		repository = config.DefaultRepository(image.Name)
	}
	source, _ := ociimage.Candidates(image.Source) // a source that is no reference is no name
	return slices.ContainsFunc(names, func(name string) bool {
		return ociimage.Repository(name) == repository && !slices.Contains(source, name)
	})
}

// ownerOf finds the other suite whose lock beside this one has the image.
func (c *Client) ownerOf(engineID, source string, lock *locks) string {
	all, _ := record.LocksIn(filepath.Dir(lock.file.Path())) // those that are damaged say nothing
	for _, other := range all {
		if other.Path() == lock.file.Path() {
			continue
		}
		for _, name := range other.Names() {
			if entry := other.Images[name]; entry.EngineID == engineID && entry.Source == source {
				return other.Consumer
			}
		}
	}
	return ""
}

// checkTree tells whether the files that the image was built from changed since.
func (c *Client) checkTree(ctx context.Context, image config.Image, entry *record.Locked, suite config.Suite) error {
	if entry.Tree == nil || image.Build == nil {
		return nil
	}
	is, err := changed(ctx, image, entry.Tree)
	if err != nil {
		c.untold(ctx, fmt.Sprintf("%s: whether files in %s changed since it was built", image.Name, image.Build.Context), err)
	}
	if !is {
		return nil
	}
	from := ""
	if entry.Commit != "" {
		from = " at commit " + entry.Commit[:min(len(entry.Commit), 12)]
	}
	err = fmt.Errorf("%s: files in %s changed since it was built %s%s\nbuild it: %s", image.Name, image.Build.Context, ago(entry.Built), from, typed("build", image.Name, suite))
	if suite.Freshness == config.FreshnessStrict {
		return err
	}
	c.report.Warn(err.Error())
	return nil
}
