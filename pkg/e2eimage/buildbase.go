package e2eimage

import (
	"context"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// baseIDs asks an engine for the images that something is built on. Those that it does
// not have, or does not keep, are "".
func (c *Client) baseIDs(ctx context.Context, by string, bases []string) (map[string]string, error) {
	ids := make([]string, len(bases))
	var asking errgroup.Group
	for i, base := range bases {
		asking.Go(func() error {
			var err error
			ids[i], err = engine.ID(ctx, c.runner, by, base)
			return err
		})
	}
	if err := asking.Wait(); err != nil {
		return nil, err
	}
	found := map[string]string{}
	for i, base := range bases {
		found[base] = ids[i]
	}
	return found, nil
}

// firstChanged is the first of the noted images that is another by now, "" for none.
func firstChanged(noted, now map[string]string) string {
	for _, base := range slices.Sorted(maps.Keys(noted)) {
		if now[base] != noted[base] {
			return base
		}
	}
	return ""
}

// newBase is the first image that another one was built on and that is newer by now, ""
// for none. One that is gone is not newer.
func (c *Client) newBase(ctx context.Context, noted *lock.Tree) (string, error) {
	now, err := c.baseIDs(ctx, noted.Engine, slices.Sorted(maps.Keys(noted.Bases)))
	if err != nil {
		return "", err
	}
	known := maps.Clone(noted.Bases)
	maps.DeleteFunc(known, func(base, _ string) bool { return now[base] == "" })
	return firstChanged(known, now), nil
}

// namesOf are the names that an engine would know an image of the suite by, once it is
// built.
func (r *buildRun) namesOf(image config.Image) []string {
	names := []string{reference(image)}
	if entry := r.lock.current().Images[image.Name]; entry != nil {
		names = append(names, entry.Image)
	}
	if image.Tag != "" || r.groupTag != "" {
		if target, err := r.newImage(image, r.in.Values); err == nil {
			names = append(names, target)
		}
	}
	return names
}

// isNamed tells whether a Dockerfile's name for an image is one of these: podman looks
// for a name without a domain among its own, too.
func isNamed(by, base string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return name != "" && slices.ContainsFunc(spelt(by, base), func(one string) bool {
			return slices.Contains(spelt(by, name), one)
		})
	})
}

func spelt(by, name string) []string {
	all, err := ociimage.Candidates(name)
	if err != nil {
		return nil
	}
	if by == "docker" {
		return all[:1]
	}
	return all
}
