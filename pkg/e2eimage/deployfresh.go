package e2eimage

import (
	"context"
	"errors"
	"fmt"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// fresh tells whether what is recorded is the newest that this host made.
func (d *deployRun) fresh(ctx context.Context) error {
	lock, err := d.client.openLock(d.in.Suite, d.consumer)
	if err != nil || lock == nil {
		return err
	}
	var old, mistakes []error
	for _, r := range d.records {
		entry := lock.entry(r.Image, d.in.Suite.Prebuilt)
		if entry == nil || entry.ImageID == r.Evidence.ImageID || entry.Image == r.Evidence.Image && d.in.Suite.TagGroup == "" {
			continue
		}
		// A shared tag moves: what has not been tagged since comes after it.
		before := entry.Image == "" || entry.Replaces(r.Evidence.Image) || entry.Image == r.Evidence.Image && entry.Tagged == nil
		switch {
		case before && d.in.Use != UseCluster:
			old = append(old, notTagged(r, entry, d.in.Suite))
		case d.in.Use == UseCluster:
			d.adopt = append(d.adopt, func(ctx context.Context) error { return d.adoptCluster(ctx, lock, r) })
		default:
			set, err := d.kube.records.Get(ctx, d.kube.namespace, d.consumer)
			if err == nil {
				err = diverged(r.Image.Name, d.in.Suite, lock.file.Path(), entry, set, r.Evidence)
			}
			mistakes = append(mistakes, err)
		}
	}
	if err := errors.Join(mistakes...); err != nil {
		return err
	}
	stale := d.client.stale(errors.Join(old...), d.in.AllowStale)
	if d.freshBuilt {
		return stale
	}
	return errors.Join(stale, d.client.checkHost(ctx, d.in.Suite, lock, d.in.AllowStale))
}

// notTagged says that something newer was made than what is recorded.
func notTagged(r recorded, entry *record.Locked, suite config.Suite) error {
	name := r.Image.Name
	step := "loaded, but not tagged\ntag it: " + typed("tag", name, suite)
	if entry.Loaded == nil {
		step = "built, but not loaded\nload and tag it: " + typed("load", name, suite) + " && " + typed("tag", name, suite)
	}
	return fmt.Errorf("%s: recorded is %s (%s, %s), but %s (%s) was %s",
		name, r.Evidence.Image, ociimage.ShortID(r.Evidence.ImageID), ago(r.Evidence.Recorded),
		ociimage.ShortID(orNoID(entry.ImageID, entry.EngineID)), lockedHow(entry), step)
}

func orNoID(ids ...string) string {
	for _, id := range ids {
		if id != "" {
			return id
		}
	}
	return "an image"
}

// adoptCluster makes the lock say what the cluster does.
func (d *deployRun) adoptCluster(ctx context.Context, lock *locks, r recorded) error {
	return lock.update(ctx, func(l *record.Lock) error {
		l.Put(r.Image.Name, record.Locked{
			Via: record.ViaLoad, Loaded: r.Evidence.Recorded, Image: r.Evidence.Image, ImageID: r.Evidence.ImageID, Source: r.Evidence.Source,
			Platform: r.Evidence.Platform, By: r.Evidence.By, Tagged: r.Evidence.Recorded,
		}, true)
		return nil
	})
}
