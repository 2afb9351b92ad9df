package e2eimage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/buildtree"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// prebuiltOf returns the prebuilt image that takes the place of a build, "" where
// there is none or where none is wanted.
func prebuiltOf(image config.Image, wanted config.Prebuilt) (string, error) {
	switch {
	case wanted == config.PrebuiltIgnore || image.External != "":
		return "", nil
	case image.Prebuilt == "":
		if wanted == config.PrebuiltRequire {
			return "", &UsageError{errors.New("prebuilt images are required, but e2eimage.yaml names none for it")}
		}
		return "", nil
	case wanted == config.PrebuiltRequire:
		return image.Prebuilt, image.Need(config.FieldPrebuilt)
	case image.Unfilled[config.FieldPrebuilt].What != "" || !isThere(image.Prebuilt):
		return "", nil
	}
	return image.Prebuilt, nil
}

// archivedSince tells whether an archive that takes the place of a build came after what
// the lock has of the image: the next build adopts it. One of before was not wanted then.
func archivedSince(entry *lock.Entry, image config.Image, wanted config.Prebuilt) bool {
	prebuilt, err := prebuiltOf(image, wanted)
	if err != nil || prebuilt == "" || entry.Source == prebuilt || entry.Made() == nil {
		return false
	}
	source, err := config.ParseSource(prebuilt)
	if err != nil || !source.IsArchive() {
		return false
	}
	file := engine.ArchiveFile(source)
	info, err := os.Stat(file)
	return err == nil && buildtree.ChangedAt(file, info).After(entry.Made().Time)
}

// adopt returns the image's prebuilt image as an entry of the lock, nil where
// there is none and it may be built. What was adopted is never removed.
func (r *buildRun) adopt(ctx context.Context, image config.Image) (*lock.Entry, error) {
	wanted := r.in.Suite.Prebuilt
	prebuilt, err := prebuiltOf(image, wanted)
	if err != nil || prebuilt == "" {
		return nil, err
	}
	if !r.in.DryRun {
		err = r.client.pull(ctx, r.in.Suite, image, prebuilt)
	}
	if err != nil && ctx.Err() == nil && image.Build != nil && wanted != config.PrebuiltRequire {
		r.client.report.Warn(fmt.Sprintf("%s: it is built, since its prebuilt image is not to be had: %v", image.Name, err))
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("its prebuilt image: %w", err)
	}
	entry, err := r.prebuilt(ctx, image, prebuilt)
	// An engine that is installed but does not run is no reason not to build.
	var absent *engine.NotFoundError
	if errors.As(err, &absent) && wanted != config.PrebuiltRequire {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("its prebuilt image %s: %w", prebuilt, err)
	}
	now := record.Now()
	entry.Via, entry.Source, entry.By, entry.Built = lock.ViaPrebuilt, prebuilt, r.client.by(), &now
	return entry, nil
}

func (r *buildRun) prebuilt(ctx context.Context, image config.Image, text string) (*lock.Entry, error) {
	source, err := config.ParseSource(text)
	if err != nil {
		return nil, &UsageError{err}
	}
	host := "linux/" + runtime.GOARCH
	if isPulled(image) && image.Build != nil {
		// Its nodes are elsewhere.
		host = cmp.Or(image.Build.Platform, host)
	}
	switch source.Kind {
	case config.SourceStdin:
		return nil, &UsageError{errors.New("standard input cannot be read twice; write it to a file")}
	case config.SourceReference, config.SourceID:
		found, err := engine.Find(ctx, r.client.runner, r.in.Suite.Engine, text)
		if err != nil {
			return nil, err
		}
		if found.Platform != host && !isPulled(image) {
			return nil, &InconsistentError{fmt.Errorf("it is for %s, but nodes on this host are %s; build it for %s",
				cmp.Or(found.Platform, "another platform"), host, host)}
		}
		found.TryToIdentify(ctx, r.client.runner)
		return &lock.Entry{
			Engine: found.Engine, EngineID: found.EngineID, ImageID: found.ImageID,
			Platform: found.Platform,
		}, context.Cause(ctx)
	}
	archive, err := engine.OpenArchive(ctx, source, nil, host)
	if err != nil {
		return nil, err
	}
	defer func() { _ = archive.Close() }()
	entry := &lock.Entry{}
	if known, ok := archive.Image(); ok {
		entry.ImageID, entry.Platform = known.ID.String(), known.Platform
		return entry, nil
	}
	// The same file is the same image.
	sum, err := engine.ArchiveDigest(ctx, source)
	entry.EngineID = sum.String()
	return entry, err
}

// isPulled tells whether nodes pull an image of a settled suite.
func isPulled(image config.Image) bool {
	return image.Registry != "" && image.Registry != config.NoRegistry
}
