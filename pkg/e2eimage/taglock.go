package e2eimage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// Use decides between lock and cluster where they disagree.
type Use string

// What is right where lock and cluster disagree.
const (
	UseLock    Use = "lock"
	UseCluster Use = "cluster"
)

// fresh looks up what the lock says, and compares the host with it.
func (r *tagRun) fresh(ctx context.Context) error {
	for _, image := range r.in.Suite.Images {
		if entry := r.lock.entry(image, r.in.Suite.Prebuilt); entry != nil && image.External == "" {
			r.entries[image.Name] = entry
		}
	}
	return r.client.checkHost(ctx, r.in.Suite, r.lock, r.in.AllowStale)
}

// reconcile holds what the lock wants against what the cluster has: what came
// before moves on silently, anything else stops.
func (r *tagRun) reconcile(set *record.Set, wish record.Wish) (record.Wish, error) {
	entry := r.entries[wish.Name]
	evidence, err := set.Entry(wish.Name)
	if err != nil || evidence == nil || evidence.State != record.Ready || !entry.Pinned() || entry.ImageID != wish.ImageID {
		return wish, err
	}
	if evidence.ImageID == wish.ImageID || evidence.Image == entry.Image || entry.Replaces(evidence.Image) || after(entry, evidence) {
		return wish, nil
	}
	if r.in.Use == UseLock {
		return wish, nil
	}
	return wish, diverged(wish.Name, r.in.Suite, r.lock.file.Path(), entry, set, evidence)
}

// after tells whether an entry without any history, as a new checkout has it, was
// made after a record.
func after(entry *record.Locked, evidence *record.Evidence) bool {
	if len(entry.Supersedes) > 0 || len(entry.Clusters) > 0 || evidence.Recorded == nil {
		return false
	}
	made := entry.Built
	if made == nil {
		made = entry.Loaded
	}
	return made != nil && made.After(evidence.Recorded.Time)
}

// diverged names both sides.
func diverged(name string, suite config.Suite, path string, entry *record.Locked, set *record.Set, evidence *record.Evidence) error {
	return &InconsistentError{fmt.Errorf(`%s: lock and cluster disagree, and neither came after the other
  lock:    %s (%s), %s; %s
  cluster: %s (%s), recorded %s%s; ConfigMap %s/%s
say which is right: %s --use=lock, or --use=cluster`,
		name, orUndecided(entry.Image), ociimage.ShortID(entry.ImageID), lockedHow(entry), path,
		evidence.Image, ociimage.ShortID(evidence.ImageID), ago(evidence.Recorded), byWhom(evidence.By), set.Namespace, record.ConfigMapName(set.Consumer),
		typed("tag", name, suite))}
}

func orUndecided(image string) string {
	if image == "" {
		return "no tag yet"
	}
	return image
}

// lockedHow is how an entry came to be, when and by whom.
func lockedHow(entry *record.Locked) string {
	var how []string
	add := func(what string, when *metav1.Time) {
		if when != nil {
			how = append(how, what+" "+ago(when))
		}
	}
	built := "built"
	if entry.Via == record.ViaPrebuilt {
		built = "adopted"
	}
	add(built, entry.Built)
	add("loaded", entry.Loaded)
	add("tagged", entry.Tagged)
	return strings.Join(how, ", ") + byWhom(entry.By)
}

func byWhom(by string) string {
	if by == "" {
		return ""
	}
	return " by " + by
}

// ago is an age for people.
func ago(when *metav1.Time) string {
	if when == nil || when.IsZero() {
		return "at an unknown time"
	}
	return duration.HumanDuration(time.Since(when.Time)) + " ago"
}

// note writes into the lock what was recorded.
func (r *tagRun) note(ctx context.Context) error {
	if r.lock == nil {
		return nil
	}
	now := record.Now()
	return r.lock.update(ctx, func(lock *record.Lock) error {
		for _, decision := range r.decisions {
			entry := lock.Images[decision.Name]
			if entry != nil && entry.ImageID == decision.ImageID && r.otherNamespace(entry, r.ca) {
				// It says what is in that one; this one has its record.
				continue
			}
			switch {
			case entry != nil && entry.ImageID == decision.ImageID && (entry.Image == decision.Image || entry.Image == ""):
			case entry != nil && entry.Built != nil && r.entries[decision.Name] != nil && !r.useCluster[decision.Name] && entry.ImageID != decision.ImageID:
				// Built anew meanwhile: what was tagged came before.
				entry.Supersedes = append(entry.Supersedes, record.Superseded{Image: decision.Image, ImageID: decision.ImageID})
				continue
			default:
				next := record.Locked{Via: record.ViaTag, Source: r.sources[decision.Name], Platform: r.platform()}
				if r.useCluster[decision.Name] {
					// Said to be right, it is what the next run goes by.
					next.Via, next.Loaded = record.ViaLoad, &now
				}
				if entry != nil && entry.ImageID == decision.ImageID {
					next = *entry
				}
				next.Image, next.ImageID = decision.Image, decision.ImageID
				entry = lock.Put(decision.Name, next, true)
			}
			entry.Image, entry.By = decision.Image, r.client.by()
			if entry.Tagged == nil || entry.In(r.ca, r.kube.namespace) == nil || r.changed[decision.Name] {
				entry.Tagged = &now
				entry.Carry(r.ca, r.cluster.Name, r.kube.namespace)
			}
		}
		return nil
	})
}

// otherNamespace tells whether an entry was carried into another namespace of the
// cluster, and not into this one. A tag on nodes has one record.
func (r *tagRun) otherNamespace(entry *record.Locked, ca string) bool {
	return entry.In(ca, r.kube.namespace) == nil &&
		slices.ContainsFunc(entry.Clusters, func(c record.Carried) bool { return c.CA == ca })
}

// recordable are the suite's images that have records.
func recordable(suite config.Suite) []config.Image {
	var images []config.Image
	for _, image := range suite.Images {
		if image.External == "" {
			images = append(images, image)
		}
	}
	return images
}
