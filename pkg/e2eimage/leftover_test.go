package e2eimage

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

const lost = "localhost/datastorage:suite-lost"

// loadedOnly is a name that a load gave for the record and that nobody recorded.
func (b *bench) loadedOnly(name string, age time.Duration) {
	b.t.Helper()
	b.cluster.Change(func(n *kindnodetest.Node) {
		n.Images[name], n.Owners[name], n.Since[name] = otherID, "tests.suite.datastorage", time.Now().Add(-age)
	}, "dev-worker")
}

func TestTagFindsWhatAKilledLoadLeft(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		age     time.Duration
		rebuilt bool
		stays   bool
	}{
		"when something new is recorded":               {time.Second, true, false},
		"when nothing is, and it is of some age":       {time.Hour, false, false},
		"but not one that another run is about to tag": {time.Second, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.tagged("suite")
			b.loadedOnly(lost, test.age)
			if test.rebuilt {
				b.cluster.Load(source, thirdID)
			}
			b.tagged("suite")
			if _, stays := b.imagesOn("dev-worker")[lost]; stays != test.stays {
				t.Errorf("stays %t, want %t: %v", stays, test.stays, b.cluster.Tags())
			}
		})
	}
}

func TestWhatIsLeftOverStaysWhileItIsInUse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tagged("suite")
	b.loadedOnly(lost, time.Hour)
	b.cluster.Change(func(n *kindnodetest.Node) { n.Containers = []kindnode.Container{container(lost, otherID, false)} }, "dev-worker")
	b.tagged("suite")
	if b.imagesOn("dev-worker")[lost] == "" {
		t.Error("it was taken from under its pod")
	}
	b.cluster.Change(func(n *kindnodetest.Node) { n.Containers = nil }, "dev-worker")
	b.tagged("suite")
	if b.imagesOn("dev-worker")[lost] != "" {
		t.Error("it stays although nothing uses it any more")
	}
}

func TestATagRunThatIsKilledWhileItTakesTagsAwayIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tagged("suite")
	next := "localhost/datastorage" + nextTag + "0123456789ab"
	b.loadedOnly(next, time.Second)
	b.cluster.Load(source, thirdID)
	b.cluster.Before = failing(removes, "dev-worker")
	image := b.tagged("suite")
	if evidence := b.evidence(); len(evidence.Release) != 1 || evidence.Release[0] != next {
		t.Errorf("noted is %v", evidence.Release)
	}
	b.cluster.Before = nil
	status := b.status()
	if status.State != StateUnfinished || !strings.Contains(status.Problems[0].Text, next+" has to be taken off dev-worker") || status.Problems[0].mend != "kubectl e2eimage tag datastorage -n tests --consumer suite" {
		t.Errorf("status %+v", status)
	}
	if got := b.tagged("suite"); got != image || b.imagesOn("dev-worker")[next] != "" || len(b.evidence().Release) > 0 {
		t.Errorf("recorded %s, noted %v, nodes %v", got, b.evidence().Release, b.cluster.Tags())
	}
	if status := b.status(); status.State != StateConsistent {
		t.Errorf("status %+v", status)
	}
}

// evidence is what is recorded of datastorage.
func (b *bench) evidence() *record.Evidence {
	b.t.Helper()
	set, err := record.NewStore(b.api.CoreV1()).Get(b.t.Context(), namespace, "suite")
	if err != nil {
		b.t.Fatal(err)
	}
	evidence, err := set.Entry("datastorage")
	if err != nil || evidence == nil {
		b.t.Fatalf("%v, %v", evidence, err)
	}
	return evidence
}

// status is that of datastorage.
func (b *bench) status() ImageStatus {
	b.t.Helper()
	result, err := b.client().Status(b.t.Context(), StatusInput{Suite: suite("suite", "datastorage")})
	if err != nil || len(result.Images) == 0 {
		b.t.Fatalf("%+v, %v", result, err)
	}
	return result.Images[len(result.Images)-1]
}

func TestStatusSaysHowATagWithoutARecordIsTakenAwayNow(t *testing.T) {
	t.Parallel()
	for age, words := range map[time.Duration][2]string{
		time.Minute:   {"; it was given 60s ago, and a run of load or tag is under way, or was killed", " --older-than 1s"},
		2 * time.Hour: {"but no record has it", ""},
	} {
		b := newBench(t)
		b.loadedOnly(lost, age)
		status := b.status()
		mend := "kubectl e2eimage clean --orphans -n tests --consumer suite" + words[1]
		if got := status.Problems[0]; status.State != StateOrphaned || !strings.HasSuffix(got.Text, words[0]) || got.mend != mend {
			t.Errorf("%s: %+v", age, status)
		}
	}
}

func TestCleanFindsWhatAKilledLoadLeft(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.loadedOnly(lost, time.Second)
	result, err := b.clean(unchanged)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{lost}, result.Images[0].Removed); diff != "" || len(b.cluster.Tags()) > 0 {
		t.Errorf("left %v, removed (-want +got):\n%s", b.cluster.Tags(), diff)
	}
}

func TestLoadHoldsTheDecidedNameAgainstRecordsAndClaims(t *testing.T) {
	t.Parallel()
	const image = "localhost/datastorage:v1"
	for name, test := range map[string]struct {
		consumer, id string
		release      bool
		want         string
		moves        bool
	}{
		"nothing is recorded":             {"", "", false, "", false},
		"the same":                        {"suite", imageID, false, "", false},
		"other content":                   {"suite", otherID, false, "", true},
		"its own, which is being cleaned": {"suite", imageID, true, "another run is removing", false},
		"another consumer's":              {"other", imageID, false, "is recorded, or about to be, for datastorage of consumer other\nchoose another --tag or --repository, and build it again: kubectl e2eimage build datastorage", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			if test.consumer != "" {
				err := record.NewStore(b.api.CoreV1()).Update(t.Context(), namespace, test.consumer, func(set *record.Set) error {
					_, err := set.Claim(record.Wish{Name: "datastorage", Image: image, ImageID: test.id}, "somebody", ociimage.Repository)
					if err == nil && test.release {
						_, err = set.BeginRelease("datastorage")
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			client := b.client()
			kube, err := client.kube(config.Suite{})
			if err != nil {
				t.Fatal(err)
			}
			sets, err := (&target{kube: kube, consumer: "suite"}).recordsFor(t.Context(), client, suite("suite", "datastorage"))
			if err != nil {
				t.Fatal(err)
			}
			run := &loadRun{client: client, image: config.Image{Name: "datastorage"}, consumer: "suite", entry: &lock.Entry{Image: image}, sets: sets}
			err = classify(run.checkRecords(imageID))
			if test.want != "" {
				is[*InconsistentError](t, err, test.want)
			} else if err != nil {
				t.Error(err)
			}
			if run.moves(imageID) != test.moves {
				t.Errorf("it moves: %t", run.moves(imageID))
			}
		})
	}
}
