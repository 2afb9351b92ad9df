package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/outlive"
)

// write pins what was made in the lock, then gives the host's copy its recorded name, so
// that no prune takes it: a run that is killed leaves no name that no lock knows.
func (r *buildRun) write(ctx context.Context, image config.Image, target string, made lock.Entry,
	found *engine.Image,
) (*BuiltImage, error) {
	made.Image = target
	result := &BuiltImage{Name: image.Name, Consumer: r.consumer, Changed: true}
	if r.in.DryRun {
		return r.planAdoption(image, made), nil
	}
	var before, entry *lock.Entry
	err := r.inTurn(ctx, image, func() error {
		err := r.lock.update(ctx, func(locked *lock.Lock) error {
			if err := r.share(locked, &made); err != nil {
				return err
			}
			before = locked.Images[image.Name]
			entry = locked.Put(image.Name, made, r.in.New || r.groupTag != "" || image.Tag != "" ||
				before != nil && !underRepository(image, before.Image))
			return nil
		})
		if err != nil {
			return err
		}
		if err := r.name(ctx, image, entry.Image, found); err != nil {
			return errors.Join(err, r.takeBack(ctx, image.Name, entry, before))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	result.Changed = before == nil || !before.Same(entry) || before.Image != entry.Image
	result.Image, result.ImageID, result.Engine, result.EngineID, result.Platform = entry.Image, entry.ImageID,
		entry.Engine, entry.EngineID, entry.Platform
	if entry.Via == lock.ViaPrebuilt {
		result.Prebuilt = entry.Source
	}
	if err := r.dropBefore(ctx, image.Name, entry, before); err != nil {
		return nil, err
	}
	return result, nil
}

// planAdoption is what a dry run answers.
func (r *buildRun) planAdoption(image config.Image, made lock.Entry) *BuiltImage {
	one := &BuiltImage{Name: image.Name, Consumer: r.consumer, ImageID: made.ImageID, Prebuilt: made.Source}
	before := r.lock.current().Images[image.Name]
	if before != nil && before.Same(&made) && !r.in.New && image.Tag == "" && underRepository(image, before.Image) {
		one.Image = before.Image
		return one
	}
	r.client.report.Info(fmt.Sprintf("%s: would adopt %s", image.Name, made.Source))
	one.Planned, one.Changed = planned(made.Image), true
	return one
}

// summary is what a build is worth saying.
func (b *BuiltImage) summary() string {
	switch {
	case b.Prebuilt != "" && !b.Changed:
		return fmt.Sprintf("Nothing to adopt: %s is %s already", b.Prebuilt, b.Image)
	case b.Prebuilt != "":
		return fmt.Sprintf("Adopted %s as %s", b.Prebuilt, b.Image)
	case !b.Changed:
		return fmt.Sprintf("Built %s again with the same result: %s", b.Name, b.Image)
	}
	return fmt.Sprintf("Built %s: %s", b.Name, b.Image)
}

// inTurn does something while no command of a suite beside this one builds the source's
// name: only that name tells which image a command left.
func (r *buildRun) inTurn(ctx context.Context, image config.Image, do func() error) error {
	if reference(image) == "" || r.in.Suite.Lock != "" {
		return do()
	}
	return r.lock.file.InTurn(ctx, reference(image), do)
}

// takeBack puts the lock's entry of before back, unless another build took its place.
func (r *buildRun) takeBack(ctx context.Context, name string, entry, before *lock.Entry) error {
	undoing, cancel := outlive.WithGracePeriod(ctx, undoLimit)
	defer cancel()
	return r.lock.update(undoing, func(locked *lock.Lock) error {
		switch now := locked.Images[name]; {
		case now == nil || now.Image != entry.Image || !now.Same(entry):
		case before == nil:
			delete(locked.Images, name)
		default:
			locked.Images[name] = before
		}
		return nil
	})
}

// dropBefore takes the names of before off the host that are too many, and then forgets
// them.
func (r *buildRun) dropBefore(ctx context.Context, name string, entry, before *lock.Entry) error {
	if beyond := entry.Beyond(r.in.Suite.KeepPrevious); len(beyond) > 0 {
		dropped := r.client.dropFromHost(ctx, r.lock, beyond)
		err := r.lock.update(ctx, func(locked *lock.Lock) error {
			if now := locked.Images[name]; now != nil {
				now.Dropped(dropped)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if before != nil && before.Ours() && before.EngineID != entry.EngineID {
		r.client.dropUnnamed(ctx, *before)
	}
	return nil
}

// share lets a build of a tagGroup have the tag that another one, which was built
// side by side, decided meanwhile.
func (r *buildRun) share(locked *lock.Lock, made *lock.Entry) error {
	if r.groupTag == "" || r.in.New {
		return nil
	}
	shared, err := groupTag(r.in.Suite, r.consumer, r.in.Values, false, func() []string {
		return append(imagesOf(locked), made.Image)
	})
	if err == nil {
		made.Image, err = ociimage.Join(ociimage.Repository(made.Image), shared)
	}
	return err
}

// name gives a built image its recorded name, then its source's: whoever finds it
// under the latter sees that it is recorded.
func (r *buildRun) name(ctx context.Context, image config.Image, recorded string, found *engine.Image) error {
	if found == nil {
		return nil
	}
	names := []string{recorded}
	if source := reference(image); source != "" && source != found.Reference {
		names = append(names, source)
	}
	// Both or none, whatever ends the run.
	naming, cancel := outlive.WithGracePeriod(ctx, undoLimit)
	defer cancel()
	for i, name := range names {
		err := found.Name(naming, r.client.runner, name)
		if err == nil {
			continue
		}
		if i > 0 {
			_, undone := r.client.nameOffHost(naming,
				lock.Superseded{Image: recorded, Engine: found.Engine, EngineID: found.EngineID}, false)
			err = errors.Join(err, undone)
		}
		return fmt.Errorf("it was built, but could not be named %s: %w", name, err)
	}
	return nil
}

// reference is the source as the name that an engine has it under, "" where it is
// something else.
func reference(image config.Image) string {
	source, err := config.ParseSource(image.Source)
	if err != nil || source.Kind != config.SourceReference {
		return ""
	}
	return source.Value
}

// underRepository tells whether a recorded image is where the suite wants it.
func underRepository(image config.Image, recorded string) bool {
	return image.Repository == "" || recorded == "" || ociimage.Repository(recorded) == image.Repository
}

// dropUnnamed removes what a build of before left when all its names have moved on.
func (c *Client) dropUnnamed(ctx context.Context, before lock.Entry) {
	found, err := engine.Find(ctx, c.runner, before.Engine, before.EngineID)
	if err == nil && len(found.Names) == 0 {
		err = found.Remove(ctx, c.runner)
	}
	if err != nil && !engine.IsGone(err) {
		c.report.Warn(fmt.Sprintf("%s stays in %s without a name: %v", ociimage.ShortID(before.EngineID), before.Engine, err))
	}
}

// dropFromHost takes names of the product's own off the host's engines. It returns those
// that are no concern any more; the others are tried again.
func (c *Client) dropFromHost(ctx context.Context, held *locks, images []lock.Superseded) []lock.Superseded {
	var stay []lock.Superseded
	for _, image := range held.givenHere(images) {
		if _, err := c.nameOffHost(ctx, image, false); err != nil {
			c.report.Warn(fmt.Sprintf("%s stays in %s: %v", image.Image, image.Engine, err))
			stay = append(stay, image)
		}
	}
	return slices.DeleteFunc(slices.Clone(images), func(s lock.Superseded) bool { return slices.Contains(stay, s) })
}
