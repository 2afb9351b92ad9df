package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
)

// names are those of the wanted images that the lock has.
func (l *locks) names(wanted []string) []string {
	if l == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(wanted), func(name string) bool { return l.current().Images[name] == nil })
}

// cleanHost takes away what this host has, without any cluster.
func (c *Client) cleanHost(ctx context.Context, in CleanInput) (*CleanResult, error) {
	if in.All {
		var err error
		if in.Suite, err = c.allLocked(in.Suite); err != nil {
			return nil, err
		}
		if len(in.Suite.Images) == 0 {
			return c.nothingAtAll(in.Suite, "on this host"), nil
		}
	}
	lock, err := c.hostLock(in.Suite)
	var none *noRecordError
	if errors.As(err, &none) {
		none.mend = ""
	}
	if err = c.nothingLeft(in, err); err != nil {
		return nil, err
	}
	if lock == nil {
		return &CleanResult{Consumer: in.Suite.Consumer, Images: []CleanedImage{}}, nil
	}
	result := &CleanResult{Consumer: lock.current().Consumer, Images: []CleanedImage{}}
	for _, name := range lock.names(recordedNames(in.Suite)) {
		if in.OlderThan <= 0 || time.Since(lock.current().Images[name].Newest()) > in.OlderThan {
			result.Images = append(result.Images,
				CleanedImage{Name: name, Removed: []string{}, Freed: []string{}, Host: []string{}})
		}
	}
	if in.Keep != nil {
		return result, c.trimHost(ctx, lock, result.Images, *in.Keep, in.DryRun)
	}
	var mistakes []error
	for i := range result.Images {
		mistakes = append(mistakes, c.offHost(ctx, lock, &result.Images[i], in.DryRun))
	}
	return result, errors.Join(mistakes...)
}

// hostLock finds the lock that has some of the suite's images.
func (c *Client) hostLock(suite config.Suite) (*locks, error) {
	consumer := suite.Consumer
	if consumer == "" && suite.LockDir != "" && suite.Lock == "" {
		all, err := lock.ReadAll(suite.LockDir)
		if err != nil {
			return nil, &InconsistentError{err}
		}
		wanted := recordedNames(suite)
		var having []string
		for _, locked := range all {
			if slices.ContainsFunc(wanted, func(name string) bool { return locked.Images[name] != nil }) {
				having = append(having, locked.Consumer)
			}
		}
		if len(having) > 1 {
			return nil, &UsageError{
				fmt.Errorf("several consumers have these images in their locks: %q; say which with --consumer", having),
			}
		}
		if len(having) == 1 {
			consumer = having[0]
		}
	}
	lock, err := c.openLock(suite, consumer)
	if err != nil {
		return nil, err
	}
	if lock == nil || len(lock.names(recordedNames(suite))) == 0 {
		return nil, c.notLocked(suite)
	}
	return lock, nil
}

// offHost takes the names that builds gave an image off the engines, and its entry
// out of the lock.
func (c *Client) offHost(ctx context.Context, held *locks, image *CleanedImage, dryRun bool) error {
	entry := held.current().Images[image.Name]
	if entry == nil {
		// Another clean was faster.
		return nil
	}
	for _, name := range held.hostNames(entry) {
		removed, err := c.nameOffHost(ctx, name, dryRun)
		if err != nil {
			return fmt.Errorf("%s: %s stays in %s: %w", image.Name, name.Image, name.Engine, err)
		}
		if removed {
			image.Host = append(image.Host, name.Engine+" "+name.Image)
		}
	}
	image.LockRemoved = true
	if dryRun {
		return nil
	}
	return held.update(ctx, func(l *lock.Lock) error {
		if now := l.Images[image.Name]; now != nil && !now.Same(entry) {
			image.LockRemoved = false
			return fmt.Errorf("%s was rebuilt meanwhile, and stays; run again to remove that, too", image.Name)
		}
		delete(l.Images, image.Name)
		return nil
	})
}

// hostNames are the recorded names that builds gave on this host and that no other
// suite's lock has, too. The source's name is not ours: a build moves it, as any build
// does that is told a name.
func (l *locks) hostNames(entry *lock.Entry) []lock.Superseded {
	if !l.local {
		return nil
	}
	var names []lock.Superseded
	if entry.Ours() {
		names = append(names, lock.Superseded{
			Image: entry.Image, Via: entry.Via, Engine: entry.Engine,
			EngineID: entry.EngineID,
		})
	}
	return l.givenHere(append(names, entry.Supersedes...))
}

// givenHere are those of the names that builds gave, and no other suite's lock has.
func (l *locks) givenHere(names []lock.Superseded) []lock.Superseded {
	shared := l.others()
	return slices.DeleteFunc(slices.Clone(names), func(s lock.Superseded) bool {
		return s.Via != lock.ViaBuild || s.Engine == "" || s.Image == "" || shared[s.Image+" "+s.EngineID]
	})
}

// others are the names, with their engine's IDs, that locks of other suites beside
// this one have.
func (l *locks) others() map[string]bool {
	found := map[string]bool{}
	for _, other := range l.beside() {
		for _, entry := range other.Images {
			found[entry.Image+" "+entry.EngineID], found[entry.Source+" "+entry.EngineID] = true, true
			for _, before := range entry.Supersedes {
				found[before.Image+" "+before.EngineID] = true
			}
		}
	}
	return found
}

// nameOffHost removes a name, unless it stands for something else by now.
func (c *Client) nameOffHost(ctx context.Context, name lock.Superseded, dryRun bool) (bool, error) {
	found, err := engine.Find(ctx, c.runner, name.Engine, name.Image)
	if engine.IsGone(err) || err == nil && found.EngineID != name.EngineID {
		return false, nil
	}
	if err != nil || dryRun {
		return err == nil, err
	}
	return true, found.Remove(ctx, c.runner)
}

// lockToo does for the lock, and the host, what was done for the cluster.
func (r *cleanRun) lockToo(ctx context.Context) error {
	if r.lock == nil {
		return nil
	}
	switch {
	case r.in.Keep != nil && r.in.Scope == ScopeCluster:
		return nil
	case r.in.Keep != nil:
		return r.client.trimHost(ctx, r.lock, r.result.Images, *r.in.Keep, r.in.DryRun)
	}
	ca, err := r.kube.fingerprint(ctx, r.states)
	if err != nil {
		return err
	}
	var mistakes []error
	for i := range r.result.Images {
		image := &r.result.Images[i]
		if len(image.Left) > 0 || r.lock.current().Images[image.Name] == nil {
			continue
		}
		if r.in.Scope == ScopeCluster {
			mistakes = append(mistakes, r.forget(ctx, image.Name, ca))
			continue
		}
		mistakes = append(mistakes, r.client.offHost(ctx, r.lock, image, r.in.DryRun))
	}
	return errors.Join(mistakes...)
}

// trimHost takes the names of before off the host, but for those that are kept.
func (c *Client) trimHost(ctx context.Context, held *locks, images []CleanedImage, keep int, dryRun bool) error {
	if !held.local {
		return nil
	}
	beyond := map[string][]lock.Superseded{}
	for i, image := range images {
		entry := held.current().Images[image.Name]
		if entry == nil {
			continue
		}
		beyond[image.Name] = entry.Beyond(keep)
		for _, name := range held.givenHere(beyond[image.Name]) {
			removed, err := c.nameOffHost(ctx, name, dryRun)
			if err != nil {
				return err
			}
			if removed {
				images[i].Host = append(images[i].Host, name.Engine+" "+name.Image)
			}
		}
	}
	if dryRun {
		return nil
	}
	return held.update(ctx, func(locked *lock.Lock) error {
		for name, images := range beyond {
			if entry := locked.Images[name]; entry != nil {
				entry.Dropped(images)
			}
		}
		return nil
	})
}

// forget notes that the cluster has nothing of an image any more. A tag that was
// decided before the build stays decided.
func (r *cleanRun) forget(ctx context.Context, name, ca string) error {
	if r.in.DryRun {
		return nil
	}
	return r.lock.update(ctx, func(locked *lock.Lock) error {
		entry := locked.Images[name]
		if entry == nil {
			return nil
		}
		entry.RemoveCluster(ca, r.kube.namespace)
		if len(entry.Clusters) > 0 {
			return nil
		}
		entry.Loaded, entry.Tagged = nil, nil
		if entry.Built == nil {
			delete(locked.Images, name)
		}
		return nil
	})
}
