package e2eimage

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// tagBoth records two images for a consumer.
func (b *bench) tagBoth(consumer string) {
	b.t.Helper()
	b.cluster.Load("localhost/gateway:dev", otherID)
	if _, err := b.client().Tag(b.t.Context(), TagInput{Suite: suite(consumer, "datastorage", "gateway")}); err != nil {
		b.t.Fatal(err)
	}
}

func TestCleanAllTakesEveryRecordOfTheConsumer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tagBoth("suite")
	b.tagged("other")
	result, err := b.clean(func(in *CleanInput) { in.Suite, in.All = suite("suite"), true })
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Images) != 2 || b.configMap("suite") != nil || len(b.records("other")) != 1 || len(b.cluster.Tags()) != 3 {
		t.Errorf("cleaned %+v, left %v", result.Images, b.cluster.Tags())
	}
	// What there is to clean is clean already.
	result, err = b.clean(func(in *CleanInput) { in.Suite, in.All = suite("suite"), true })
	if err != nil || len(result.Images) > 0 {
		t.Errorf("again: %+v, %v", result, err)
	}
}

func TestCleanAllIsAboutOneConsumerOnly(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tagged("suite")
	b.tagged("other")
	all := func(in *CleanInput) { in.Suite, in.All = suite(""), true }
	_, err := b.clean(all)
	is[*UsageError](t, err, "other, suite", "--consumer")
	if len(b.cluster.Tags()) != 6 {
		t.Errorf("left %v", b.cluster.Tags())
	}
	if _, err := b.clean(func(in *CleanInput) { in.Suite, in.All = suite("other"), true }); err != nil {
		t.Fatal(err)
	}
	// Now it is clear whose is meant.
	if _, err := b.clean(all); err != nil || len(b.cluster.Tags()) > 0 {
		t.Errorf("left %v, %v", b.cluster.Tags(), err)
	}
}

func TestCleanOfNothingSaysHowToLook(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tagged("suite")
	missing := func(in *CleanInput) { in.Suite = suite("suite", "nosuch") }
	_, err := b.clean(missing)
	says(t, err, "no record of nosuch", "datastorage for consumer suite", "kubectl e2eimage status -n tests\n")
	if strings.Contains(err.Error(), "e2eimage tag") || strings.Contains(err.Error(), "record it") {
		t.Errorf("it says to record what was to go: %v", err)
	}
	if result, err := b.clean(func(in *CleanInput) { missing(in); in.IgnoreNotFound = true }); err != nil || len(result.Images) > 0 {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestCleanTakesTheTagsOfANamespaceThatIsGone(t *testing.T) {
	t.Parallel()
	const gone = "localhost/datastorage:suite-gone"
	for name, test := range map[string]struct {
		there   bool
		age     time.Duration
		claimed bool
		said    string
		taken   bool
	}{
		"it is gone":        {false, orphanGrace, false, "", true},
		"it is still there": {true, orphanGrace, false, "", false},
		"it is yet to be, since a load just named it":    {false, time.Minute, false, "", false},
		"somebody else has just claimed the tag":         {false, orphanGrace, true, "", false},
		"it just went, and whoever cleans says its name": {false, time.Minute, false, "before", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.cluster.Change(func(n *kindnodetest.Node) {
				n.Images[gone], n.Owners[gone], n.Since[gone] = imageID, "before.suite.datastorage", time.Now().Add(-test.age)
			})
			if test.there {
				if err := b.api.Tracker().Add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "before"}}); err != nil {
					t.Fatal(err)
				}
			}
			if test.claimed {
				err := record.NewStore(b.api.CoreV1()).Update(t.Context(), "elsewhere", "other", func(set *record.Set) error {
					_, err := set.Claim(record.Wish{Name: "datastorage", Image: gone, ImageID: imageID}, "somebody", ociimage.Repository)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			result, err := b.clean(func(in *CleanInput) {
				in.Suite = suite("", "datastorage")
				in.Suite.Namespace = test.said
			})
			taken := err == nil && len(result.Images) == 1 && result.Namespace == "before" && len(b.cluster.Tags()) == 0
			if taken != test.taken || !taken && len(b.cluster.Tags()) != 3 {
				t.Errorf("taken %t, left %v, %+v, %v", taken, b.cluster.Tags(), result, err)
			}
		})
	}
}

func TestCleanLooksForTheConsumersNamespaceOnly(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.cluster.Change(func(n *kindnodetest.Node) {
		n.Images["localhost/datastorage:other"], n.Owners["localhost/datastorage:other"] = imageID, "before.other.datastorage"
	})
	_, err := b.clean(unchanged)
	says(t, err, "no record of datastorage")
	if len(b.cluster.Tags()) != 3 {
		t.Errorf("left %v", b.cluster.Tags())
	}
}
