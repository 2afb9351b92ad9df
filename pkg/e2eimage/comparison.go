package e2eimage

import (
	"context"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/freshness"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// comparison is what lock, record and host say of one image.
type comparison struct {
	image config.Image
	// entry of the lock that pins the content, and evidence of the record; nil where
	// there is none.
	entry    *lock.Entry
	evidence *record.Evidence
	host     hostAnswer
}

func compared(image config.Image, entry *lock.Entry, evidence *record.Evidence) *comparison {
	if entry != nil && entry.Via == lock.ViaTag {
		entry = nil
	}
	return &comparison{image: image, entry: entry, evidence: evidence}
}

// compare asks the host about images whose entries and evidence are known, a few at once.
func (c *Client) compare(ctx context.Context, engines *finder, suite config.Suite, lock *locks,
	all []*comparison,
) error {
	var asking errgroup.Group
	asking.SetLimit(8)
	for _, k := range all {
		asking.Go(func() error {
			k.host = c.askHost(ctx, engines, k, suite, lock)
			return nil
		})
	}
	_ = asking.Wait() // what a host does not say is an answer, too
	return context.Cause(ctx)
}

// source that the host is asked about: what the lock's content came from, unless an archive
// that takes its place came later; else what the suite names, else what was recorded.
func (k *comparison) source(suite config.Suite) string {
	if k.entry != nil && k.entry.Source != "" && !archivedSince(k.entry, k.image, suite.Prebuilt) {
		return k.entry.Source
	}
	if wanted := k.wanted(suite); wanted != "" || k.evidence == nil {
		return wanted
	}
	return k.evidence.Source
}

// wanted is the source that the suite names, "" where it does not, or where its template
// has variables that are not set in this run.
func (k *comparison) wanted(suite config.Suite) string {
	if prebuilt, err := prebuiltOf(k.image, suite.Prebuilt); err == nil && prebuilt != "" {
		return prebuilt
	}
	if _, unfilled := k.image.Unfilled[config.FieldSource]; unfilled {
		return ""
	}
	return k.image.Source
}

// expected is what the host should have.
func (k *comparison) expected() freshness.Content {
	switch {
	case k.entry != nil:
		return freshness.Content{ImageID: k.entry.ImageID, Engine: k.entry.Engine, EngineID: k.entry.EngineID}
	case k.evidence != nil:
		return freshness.Content{ImageID: k.evidence.ImageID, Engine: k.evidence.Engine, EngineID: k.evidence.EngineID}
	}
	return freshness.Content{}
}

func (k *comparison) platform() string {
	switch {
	case k.entry != nil && k.entry.Platform != "":
		return k.entry.Platform
	case k.evidence != nil && k.evidence.Platform != "":
		return k.evidence.Platform
	}
	return "linux/" + runtime.GOARCH
}

// judge asks the rule. Evidence that is not ready records nothing yet.
func (k *comparison) judge(suite config.Suite, states kindnode.States) freshness.Finding {
	facts := freshness.Facts{Source: k.wanted(suite), Host: k.host.Host, Nodes: nodesFacts(k.host.source, states)}
	if e := k.evidence; e != nil && e.State == record.Ready {
		facts.Record = freshness.Record{
			Content: freshness.Content{ImageID: e.ImageID, Engine: e.Engine, EngineID: e.EngineID},
			Image:   e.Image, Source: e.Source, SourceWas: e.SourceWas, At: timeOf(e.Recorded),
		}
		if e.Source != "" && e.Source == k.image.Prebuilt {
			// The suite names it still, also where the archive is gone by now.
			facts.Source = e.Source
		}
	}
	if e := k.entry; e != nil {
		facts.Lock = freshness.Lock{
			Content: k.expected(), Image: e.Image, Built: e.Built != nil, Tagged: e.Tagged != nil,
			New: len(e.Supersedes) == 0 && len(e.Clusters) == 0, At: timeOf(e.Made()),
		}
		for _, superseded := range e.Supersedes {
			facts.Lock.Supersedes = append(facts.Lock.Supersedes, superseded.Image)
		}
	}
	return freshness.Judge(facts)
}

func nodesFacts(source string, states kindnode.States) freshness.Nodes {
	candidates, _ := sourceNames("", source) // a source that is no name stands for nothing there
	return freshness.Nodes{Has: states.Everywhere, Source: states.IDs(candidates...)}
}

func timeOf(when *metav1.Time) time.Time {
	if when == nil {
		return time.Time{}
	}
	return when.Time
}
