package e2eimage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/freshness"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// hostAnswer is what this host says of a source.
type hostAnswer struct {
	freshness.Host
	// source that it was asked about.
	source string
	// made is when that was built, as the engine says.
	made time.Time
	// silence is why nobody can say, where that is worth a word.
	silence error
}

func silent(source string, why error) hostAnswer {
	return hostAnswer{Host: freshness.Host{Silent: true}, source: source, silence: why}
}

// askHost asks what an image's source stands for on this host by now.
func (c *Client) askHost(ctx context.Context, engines *finder, k *comparison, suite config.Suite,
	lock *locks,
) hostAnswer {
	text := k.source(suite)
	source, err := config.ParseSource(text)
	switch {
	case err != nil || suite.Freshness == config.FreshnessOff:
		return hostAnswer{source: text}
	case k.entry != nil && !lock.local:
		// That was said when the lock was read.
		return silent(text, nil)
	case k.entry != nil && k.entry.Built != nil && k.entry.Engine == "" && source.Kind == config.SourceReference:
		// Another host's engine built it. What this one's has does not come after it.
		return silent(text, nil)
	case k.entry == nil && k.evidence != nil && k.evidence.Host != "" && k.evidence.Host != c.host:
		return silent(text, fmt.Errorf("it was recorded on host %s", k.evidence.Host))
	}
	switch source.Kind {
	case config.SourceReference:
		return c.askEngine(ctx, engines, k, text, suite, lock)
	case config.SourceStdin:
		return silent(text, errors.New("standard input cannot be read again"))
	case config.SourceID:
		// It always stands for the same.
		return hostAnswer{source: text}
	}
	return askArchive(ctx, k, source, text)
}

func (c *Client) askEngine(ctx context.Context, engines *finder, k *comparison, text string, suite config.Suite,
	lock *locks,
) hostAnswer {
	expected := k.expected()
	only := expected.Engine
	if only == "" {
		only = suite.Engine
	}
	found, err := engines.find(ctx, only, text)
	switch {
	case engine.IsGone(err):
		return hostAnswer{source: text}
	case err != nil:
		return silent(text, err)
	}
	if found.EngineID == expected.EngineID {
		// The same image as then: its image ID is known, which this engine may not tell.
		found.ImageID = cmp.Or(found.ImageID, expected.ImageID)
	} else if err := found.Identify(ctx, c.runner); err != nil {
		return silent(text, err)
	}
	answer := hostAnswer{source: text, made: found.Created}
	answer.Content = freshness.Content{Engine: found.Engine, EngineID: found.EngineID, ImageID: found.ImageID}
	answer.Pinned = isRecorded(k.image, found.Names)
	answer.Suite = lock.ownerOf(found.EngineID, text)
	return answer
}

// askArchive opens an archive; of one that is compressed, the file itself is compared.
func askArchive(ctx context.Context, k *comparison, source config.Source, text string) hostAnswer {
	if !engine.HasArchive(source) {
		return hostAnswer{source: text}
	}
	if !engine.CanReadAgain(source) {
		return silent(text, errors.New("it cannot be read again"))
	}
	archive, err := engine.OpenArchive(ctx, source, nil, k.platform())
	if err != nil {
		return silent(text, err)
	}
	defer func() { _ = archive.Close() }()
	answer := hostAnswer{source: text}
	if known, ok := archive.Image(); ok {
		answer.ImageID = known.ID.String()
		return answer
	}
	expected := k.expected()
	if expected.Engine != "" || expected.EngineID == "" {
		return silent(text, errors.New("it is compressed, and only loading tells which image it has"))
	}
	sum, err := engine.ArchiveDigest(ctx, source)
	if err != nil {
		return silent(text, err)
	}
	answer.EngineID = sum.String()
	return answer
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
func (l *locks) ownerOf(engineID, source string) string {
	if l == nil {
		return ""
	}
	for _, other := range l.beside() {
		for _, name := range other.Names() {
			if entry := other.Images[name]; entry.EngineID == engineID && entry.Source == source {
				return other.Consumer
			}
		}
	}
	return ""
}
