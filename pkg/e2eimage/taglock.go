package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/freshness"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
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

// asking is what the host is asked beside something else.
type asking struct {
	done chan struct{}
	err  error
}

// wait returns when it has ended, with its error. A nil one has never begun.
func (a *asking) wait() error {
	if a == nil {
		return nil
	}
	<-a.done
	return a.err
}

// beginAsking starts to ask lock, record and host. The target need not have its nodes yet.
func (r *tagRun) beginAsking(ctx context.Context, target *target) *asking {
	r.target = target
	asked := &asking{done: make(chan struct{})}
	go func() {
		defer close(asked.done)
		asked.err = r.askHost(ctx)
	}()
	return asked
}

// askHost reads lock and record, and asks the host what the images' sources stand for.
func (r *tagRun) askHost(ctx context.Context) error {
	var err error
	if r.records, err = r.kube.records.Get(ctx, r.kube.namespace, r.consumer); err != nil {
		return err
	}
	var all []*comparison
	for _, image := range recordable(r.in.Suite) {
		entry := r.lock.entry(image, r.in.Suite.Prebuilt)
		evidence, err := r.records.Entry(image.Name)
		if err != nil {
			evidence = nil // what is wrong with it is told with its own wish
		}
		one := &imageTag{image: image, entry: entry, compared: compared(image, entry, evidence)}
		r.images, all = append(r.images, one), append(all, one.compared)
	}
	return r.client.compare(ctx, r.client.newFinder(), r.in.Suite, r.lock, all)
}

// fresh tells whether what would be tagged is the newest that is known.
func (r *tagRun) fresh(ctx context.Context) error {
	var old []error
	for _, image := range r.images {
		k := image.compared
		finding := k.judge(r.in.Suite, r.statesOf(image))
		r.client.unknown(ctx, k, finding)
		if finding.By == freshness.ByHost && finding.Relation != freshness.NotTagged && !r.neverLoaded(k) {
			old = append(old, k.older(finding, r.in.Suite))
		}
		old = append(old, r.client.checkTree(ctx, k.image, k.entry, r.lock, r.in.Suite))
	}
	return r.client.stale(errors.Join(old...), r.in.AllowStale)
}

// neverLoaded tells whether nodes have nothing yet that could be tagged, which is said
// more exactly by whoever looks for it.
func (r *tagRun) neverLoaded(k *comparison) bool {
	return k.entry == nil && k.evidence == nil && len(nodesFacts(k.host.source, r.place.of(k.image, r.states)).Source) == 0
}

// keeps returns the recorded image ID where nodes have nothing newer that could be
// tagged, "" otherwise.
func (r *tagRun) keeps(k *comparison) string {
	if k.entry != nil || k.evidence == nil || k.evidence.State != record.Ready {
		return ""
	}
	states := r.place.of(k.image, r.states)
	nodes := nodesFacts(k.host.source, states)
	if finding := k.judge(r.in.Suite, states); !finding.Keep || !nodes.Has(k.evidence.ImageID) {
		return ""
	}
	if len(nodes.Source) > 0 && !slices.Equal(nodes.Source, []string{k.evidence.ImageID}) {
		r.client.report.Warn(fmt.Sprintf("%s: the nodes have another image as %s; the record stays", k.image.Name,
			k.host.source))
	}
	return k.evidence.ImageID
}

// reconcile holds what the lock wants against what the cluster has by now: what came
// before moves on silently, anything else stops.
func (r *tagRun) reconcile(set *record.Set, image *imageTag) error {
	evidence, err := set.Entry(image.wish.Name)
	if err != nil || !image.entry.Pinned() || image.entry.ImageID != image.wish.ImageID || r.in.Use == UseLock {
		return err
	}
	k := *image.compared
	k.evidence = evidence
	if k.judge(r.in.Suite, r.statesOf(image)).Relation == freshness.Diverged {
		return k.diverged(r.in.Suite, r.lock, set.Namespace, set.Consumer)
	}
	return nil
}

// diverged names both sides.
func (k *comparison) diverged(suite config.Suite, lock *locks, namespace, consumer string) error {
	entry, evidence := k.entry, k.evidence
	both := &Error{
		Code: CodeConflict, Image: k.image.Name, Namespace: namespace,
		Fix: fmt.Sprintf("say which is right: %s --use=lock, or --use=cluster", typed("tag", k.image.Name, suite)),
	}
	return &InconsistentError{both.says(`%s: lock and cluster disagree, and neither came after the other
  lock:    %s (%s), %s; %s
  cluster: %s (%s), recorded %s%s; ConfigMap %s/%s`,
		k.image.Name, orUndecided(entry.Image), ociimage.ShortID(entry.ImageID), lockedHow(entry), lock.file.Path(),
		evidence.Image, ociimage.ShortID(evidence.ImageID), ago(evidence.Recorded), byWhom(evidence.By), namespace,
		record.ConfigMapName(consumer))}
}

func orUndecided(image string) string {
	if image == "" {
		return "no tag yet"
	}
	return image
}

// lockedHow is how an entry came to be, when and by whom.
func lockedHow(entry *lock.Entry) string {
	var how []string
	add := func(what string, when *metav1.Time) {
		if when != nil {
			how = append(how, what+" "+ago(when))
		}
	}
	built := "built"
	if entry.Via == lock.ViaPrebuilt {
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
	return r.lock.update(ctx, func(locked *lock.Lock) error {
		for _, image := range r.images {
			decision := image.decision
			entry := locked.Images[decision.Name]
			if entry != nil && entry.ImageID == decision.ImageID && r.otherNamespace(entry, r.ca) {
				// It says what is in that one; this one has its record.
				continue
			}
			switch {
			case entry != nil && entry.ImageID == decision.ImageID && (entry.Image == decision.Image || entry.Image == ""):
			case entry != nil && entry.Built != nil && image.entry != nil && !image.useCluster &&
				entry.ImageID != decision.ImageID:
				// Built anew meanwhile: what was tagged came before.
				entry.Supersedes = append(entry.Supersedes, lock.Superseded{Image: decision.Image, ImageID: decision.ImageID})
				continue
			default:
				next := lock.Entry{Via: lock.ViaTag, Source: image.source, Platform: r.states.Platform()}
				if image.useCluster {
					// Said to be right, it is what the next run goes by.
					next.Via, next.Loaded = lock.ViaLoad, &now
				}
				if entry != nil && entry.ImageID == decision.ImageID {
					next = *entry
				}
				next.Image, next.ImageID = decision.Image, decision.ImageID
				entry = locked.Put(decision.Name, next, true)
			}
			entry.Image, entry.By, entry.Digest = decision.Image, r.client.by(), digestIn(r.pulledAs(image))
			if entry.Tagged == nil || entry.ClusterOf(r.ca, r.kube.namespace) == nil || image.changed {
				entry.Tagged = &now
				entry.AddCluster(lock.Cluster{
					CA: r.ca, KindCluster: r.place.kindName(), Namespace: r.kube.namespace, At: now,
				})
			}
		}
		return nil
	})
}

// otherNamespace tells whether an entry was carried into another namespace of the
// cluster, and not into this one. A tag on nodes has one record.
func (r *tagRun) otherNamespace(entry *lock.Entry, ca string) bool {
	return entry.ClusterOf(ca, r.kube.namespace) == nil &&
		slices.ContainsFunc(entry.Clusters, func(c lock.Cluster) bool { return c.CA == ca })
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
