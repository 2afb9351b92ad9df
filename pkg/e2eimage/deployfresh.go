package e2eimage

import (
	"context"
	"errors"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/freshness"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
)

// askHost compares the records with the lock, and asks this host for newer content, where
// that was not looked for just now.
func (d *deployRun) askHost(ctx context.Context) error {
	lock, err := d.client.openLock(d.in.Suite, d.consumer)
	if err != nil {
		return err
	}
	d.lock = lock
	suite := d.in.Suite
	if d.freshBuilt {
		suite.Freshness = config.FreshnessOff
	}
	for _, r := range d.records {
		d.compared = append(d.compared, compared(r.Image, lock.entry(r.Image, suite.Prebuilt), r.Evidence))
	}
	return d.client.compare(ctx, d.client.newFinder(), suite, lock, d.compared)
}

// fresh tells whether what is recorded is the newest that is known.
func (d *deployRun) fresh(ctx context.Context) error {
	suite := d.in.Suite
	var old, mistakes []error
	for _, k := range d.compared {
		finding := k.judge(suite, within(partOfRecord(k.evidence), d.states))
		switch {
		case finding.By == freshness.ByLock && finding.Relation != freshness.Same && d.in.Use == UseCluster:
			d.adopt = append(d.adopt, func(ctx context.Context) error { return d.adoptCluster(ctx, k) })
		case finding.Relation == freshness.Diverged:
			mistakes = append(mistakes, k.diverged(suite, d.lock, d.kube.namespace, d.consumer))
		default:
			old = append(old, k.older(finding, toItsRegistry(suite, k.evidence)))
		}
		if !d.freshBuilt {
			d.client.unknown(ctx, k, finding)
			old = append(old, d.client.checkTree(ctx, k.image, k.entry, d.lock, suite))
		}
	}
	if err := errors.Join(mistakes...); err != nil {
		return err
	}
	return d.client.stale(errors.Join(old...), d.in.AllowStale)
}

// adoptCluster makes the lock say what the cluster does.
func (d *deployRun) adoptCluster(ctx context.Context, k *comparison) error {
	e := k.evidence
	return d.lock.update(ctx, func(l *lock.Lock) error {
		l.Put(k.image.Name, lock.Entry{
			Via: lock.ViaLoad, Loaded: e.Recorded, Image: e.Image, ImageID: e.ImageID, Source: e.Source,
			Platform: e.Platform, By: e.By, Tagged: e.Recorded,
		}, true)
		return nil
	})
}
