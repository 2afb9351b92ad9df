package e2eimage

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
)

// clean runs Clean for datastorage of the consumer "suite".
func (b *bench) clean(change func(*CleanInput)) (*CleanResult, error) {
	b.t.Helper()
	in := CleanInput{Suite: suite("suite", "datastorage")}
	change(&in)
	return b.client().Clean(b.t.Context(), in)
}

func unchanged(*CleanInput) {}

func TestCleanTakesTagsAndRecordAway(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.tagged("suite")
	b.cluster.Load(source, otherID)
	second := b.tagged("suite")
	result, err := b.clean(unchanged)
	if err != nil {
		t.Fatal(err)
	}
	removed := []string{min(first, second), max(first, second)}
	want := &CleanResult{Consumer: "suite", Namespace: namespace, Images: []CleanedImage{{
		// The first image had no other name any more.
		Name: "datastorage", Removed: removed, Freed: []string{"dev-control-plane", "dev-worker", "dev-worker2"}, Host: []string{}, RecordRemoved: true,
	}}, Disk: []FreedDisk{{"dev-control-plane", 1000}, {"dev-worker", 1000}, {"dev-worker2", 1000}}}
	if diff := cmp.Diff(want, result); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(b.cluster.Tags()) > 0 || b.configMap("suite") != nil {
		t.Errorf("left on nodes: %v, in the API: %v", b.cluster.Tags(), b.configMap("suite"))
	}
	if b.imagesOn("dev-worker")[source] != otherID {
		t.Error("the source went, too")
	}
}

func TestCleanRemovesOnlyWhatTheRecordOwns(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	image := b.tagged("suite")
	other := b.tagged("other")
	b.cluster.Load("localhost/mine:1", imageID)
	// On one node somebody made the recorded name anew: it is theirs.
	b.cluster.Change(func(n *kindnodetest.Node) { delete(n.Owners, image) }, "dev-worker")
	result, err := b.clean(unchanged)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{image}, result.Images[0].Removed); diff != "" || len(result.Images[0].Freed) > 0 {
		t.Errorf("freed %v, removed (-want +got):\n%s", result.Images[0].Freed, diff)
	}
	if diff := cmp.Diff(everywhere(other, "tests.other.datastorage"), b.cluster.Tags()); diff != "" || b.records("other")["datastorage"] != other {
		t.Errorf("records %v, nodes (-want +got):\n%s", b.records("other"), diff)
	}
	worker := b.imagesOn("dev-worker")
	if worker[image] == "" || worker["localhost/mine:1"] == "" || worker[source] == "" {
		t.Errorf("left on dev-worker: %v", worker)
	}
}

func TestCleanFindsTagsThatTheRecordForgot(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	image := b.tagged("suite")
	b.cluster.Change(func(n *kindnodetest.Node) {
		n.Images["localhost/datastorage:lost"], n.Owners["localhost/datastorage:lost"] = imageID, "tests.suite.datastorage"
	}, "dev-worker")
	result, err := b.clean(unchanged)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{min(image, "localhost/datastorage:lost"), max(image, "localhost/datastorage:lost")}, result.Images[0].Removed); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(b.cluster.Tags()) > 0 {
		t.Errorf("left: %v", b.cluster.Tags())
	}
}

func TestForceCleansTagsThatContainersRun(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	image := b.tagged("suite")
	b.cluster.Change(func(n *kindnodetest.Node) {
		delete(n.Images, source)
		n.Containers = []kindnode.Container{container(image, imageID, false)}
	}, "dev-worker")
	result, err := b.clean(func(in *CleanInput) { in.Force = true })
	if err != nil {
		t.Fatal(err)
	}
	if got := result.Images[0]; len(got.Left) > 0 || len(got.Removed) != 1 || len(got.Freed) > 0 {
		t.Errorf("got %+v", got)
	}
	if len(b.cluster.Tags()) > 0 || b.configMap("suite") != nil {
		t.Errorf("left on nodes: %v, in the API: %v", b.cluster.Tags(), b.configMap("suite"))
	}
}

func TestContainersThatEndedDoNotHoldTags(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	image := b.tagged("suite")
	b.cluster.Change(func(n *kindnodetest.Node) { n.Containers = []kindnode.Container{container(image, imageID, true)} }, "dev-worker")
	if _, err := b.clean(unchanged); err != nil || len(b.cluster.Tags()) > 0 {
		t.Errorf("left %v, %v", b.cluster.Tags(), err)
	}
}

func TestADryRunOfCleanRemovesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	image := b.tagged("suite")
	b.api.ClearActions()
	result, err := b.clean(func(in *CleanInput) { in.DryRun = true })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{image}, result.Images[0].Removed); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(b.writes()) > 0 || b.cluster.Count(removes) > 0 || len(b.cluster.Tags()) != 3 {
		t.Errorf("API %v, nodes %v", b.writes(), b.cluster.Calls())
	}
}

func TestCleanOfOneImageLeavesTheOthers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.cluster.Load("localhost/gateway:dev", otherID)
	if _, err := b.client().Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage", "gateway")}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.clean(unchanged); err != nil {
		t.Fatal(err)
	}
	gateway := b.records("suite")["gateway"]
	if diff := cmp.Diff(everywhere(gateway, "tests.suite.gateway"), b.cluster.Tags()); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
}

func TestACleanThatFailsIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	image := b.tagged("suite")
	b.cluster.Before = failing(removes, "dev-worker2")
	_, err := b.clean(unchanged)
	says(t, err, "node dev-worker2", "no space left", "run clean again")
	if diff := cmp.Diff([]string{"dev-worker2 " + image + " tests.suite.datastorage"}, b.cluster.Tags()); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	if len(b.records("suite")) > 0 {
		t.Errorf("the record still promises the image: %v", b.records("suite"))
	}
	_, err = b.client().Ref(t.Context(), RefInput{Suite: suite("suite", "datastorage")})
	is[*InconsistentError](t, err, "releasing")
	b.cluster.Before = nil
	if _, err := b.clean(unchanged); err != nil {
		t.Fatal(err)
	}
	if len(b.cluster.Tags()) > 0 || b.configMap("suite") != nil {
		t.Errorf("left on nodes: %v, in the API: %v", b.cluster.Tags(), b.configMap("suite"))
	}
}

func TestCleanTakesARecordAwayThatWasChangedByHand(t *testing.T) {
	t.Parallel()
	for _, consumer := range []string{"suite", ""} {
		b := newBench(t)
		b.tagged("suite")
		b.tamper("suite")
		if _, err := b.clean(func(in *CleanInput) { in.Suite.Consumer = consumer }); err != nil {
			t.Fatal(err)
		}
		if len(b.cluster.Tags()) > 0 || b.configMap("suite") != nil {
			t.Errorf("left on nodes: %v, in the API: %v", b.cluster.Tags(), b.configMap("suite"))
		}
	}
}

func TestCleanOfSeveralConsumersAsksWhich(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tagged("one")
	b.tagged("two")
	_, err := b.clean(func(in *CleanInput) { in.Suite.Consumer = "" })
	is[*UsageError](t, err, "one, two", "--consumer")
	if len(b.cluster.Tags()) != 6 {
		t.Errorf("left: %v", b.cluster.Tags())
	}
}

func TestCleanOfASuiteSkipsWhatIsNotRecordedAnyMore(t *testing.T) {
	t.Parallel()
	for _, consumer := range []string{"suite", ""} {
		b := newBench(t)
		image := b.tagged("suite")
		in := CleanInput{Suite: suite(consumer, "gateway", "datastorage")}
		result, err := b.client().Clean(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		want := []CleanedImage{{Name: "datastorage", Removed: []string{image}, Freed: []string{}, Host: []string{}, RecordRemoved: true}}
		if diff := cmp.Diff(want, result.Images); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		_, err = b.client().Clean(t.Context(), in)
		says(t, err, "no record of gateway, datastorage")
	}
}

func TestCleanTellsTheDiskThatCameBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tagged("suite")
	// On one node something else names the image, too.
	b.cluster.Change(func(n *kindnodetest.Node) { delete(n.Images, source) }, "dev-worker")
	result, err := b.clean(unchanged)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]FreedDisk{{Node: "dev-worker", Bytes: 1000}}, result.Disk); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
