package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// useLock takes the image from the lock of the consumer.
func (r *loadRun) useLock(target *target) {
	if target.kube == nil {
		// LoadImages: nobody has a lock or a record.
		return
	}
	r.lock, r.consumer = target.lock, target.consumer
	r.entry = target.lock.entry(r.image, r.in.Suite.Prebuilt)
	r.owner = record.Owner(target.kube.namespace, target.consumer, r.image.Name)
	if r.entry == nil {
		return
	}
	// Loaded before with another namespace in mind, it stays with that; tag decides.
	for owned := range r.all.Owners() {
		if owned.Name == r.entry.Image && strings.HasSuffix(owned.Owner, "."+target.consumer+"."+r.image.Name) {
			r.owner = owned.Owner
		}
	}
}

// pinned tells whether the tag was decided before, together with the content: then
// that is what is loaded, whatever its source's name stands for by now.
func (r *loadRun) pinned() bool {
	return r.entry != nil && r.entry.Image != "" && r.entry.Built != nil
}

// fromLock is the image that was built or adopted.
func (r *loadRun) fromLock(ctx context.Context) (*from, error) {
	f, err := r.lockedCopy(ctx)
	if err == nil {
		f.text, f.pinned = r.entry.Source, true
		if f.text == "" {
			f.text = r.entry.Image
		}
		return f, nil
	}
	if !engine.IsGone(err) && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if r.entry.ImageID != "" && len(r.states.NotWhole(ociimage.Image{ID: digest.Digest(r.entry.ImageID)})) == 0 {
		// Nobody needs the copy that went, with --release perhaps.
		return &from{text: r.entry.Image, image: ociimage.Image{ID: digest.Digest(r.entry.ImageID)}, pinned: true}, nil
	}
	gone := &Error{
		Code: CodeSource, Image: r.image.Name, Fix: "build it again: " + typed("build", r.image.Name, r.in.Suite),
	}
	return nil, &InconsistentError{gone.says("%s, which was %s, is gone: no node can get it",
		orNoID(r.entry.EngineID, r.entry.Source), lockedHow(r.entry))}
}

func (r *loadRun) lockedCopy(ctx context.Context) (*from, error) {
	if r.entry.Engine != "" {
		return r.fromEngine(ctx, r.entry.EngineID, r.entry.Engine)
	}
	source, err := config.ParseSource(r.entry.Source)
	if err != nil {
		return nil, &UsageError{err}
	}
	if source.Kind == config.SourceReference || source.Kind == config.SourceID {
		// Another host's engine built it; one of this host may have the same.
		return r.fromEngine(ctx, orNoID(r.entry.ImageID, r.entry.Image), "")
	}
	f, err := r.fromArchive(ctx, source, r.entry.Source)
	if err == nil && r.entry.ImageID != "" && f.image.ID != "" && f.image.ID.String() != r.entry.ImageID {
		f.close()
		return nil, &InconsistentError{fmt.Errorf("%s is now %s instead of %s, which was adopted\nadopt the new one: %s",
			r.entry.Source, ociimage.ShortID(f.image.ID.String()), ociimage.ShortID(r.entry.ImageID),
			typed("build", r.image.Name, r.in.Suite))}
	}
	return f, err
}

// note writes into the lock what was loaded, so that tag takes just that.
func (r *loadRun) note(ctx context.Context, loaded *LoadedImage) error {
	if loaded == nil || r.in.DryRun || r.image.External != "" || r.image.Loose || r.partly() || loaded.ImageID == "" {
		return nil
	}
	return r.lock.update(ctx, func(locked *lock.Lock) error {
		now := record.Now()
		entry := locked.Images[r.image.Name]
		if r.pinned() && entry != nil && entry.Image == r.entry.Image && entry.Same(r.entry) {
			entry.ImageID, entry.Digest, entry.Loaded = loaded.ImageID, loaded.Digest, &now
			return nil
		}
		if r.pinned() || entry != nil && entry.Built != nil && r.lock.isNew(r.image.Name, entry) {
			// Built anew meanwhile: what was loaded is history already.
			return nil
		}
		via := lock.ViaLoad
		if loaded.Source == r.image.Prebuilt {
			via = lock.ViaPrebuilt
		}
		locked.Put(r.image.Name, lock.Entry{
			Via: via, ImageID: loaded.ImageID, Digest: loaded.Digest, Engine: r.engine, EngineID: r.engineID,
			Source: loaded.Source, Platform: loaded.Platform, By: r.client.by(), Loaded: &now,
		}, false)
		return nil
	})
}
