package e2eimage

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
)

func TestTagDecidesTagsEveryNodeAndRecords(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	result, err := b.client().Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage")})
	if err != nil {
		t.Fatal(err)
	}
	image := result.Images[0].Image
	want := []TaggedImage{{
		Name: "datastorage", Consumer: "suite", Namespace: namespace, Image: image, ImageID: imageID, Source: source,
		Platform: "linux/amd64", Nodes: []string{"dev-control-plane", "dev-worker", "dev-worker2"}, Changed: true,
	}}
	if diff := cmp.Diff(want, result.Images); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if tag, ok := strings.CutPrefix(image, "localhost/datastorage:suite-"); !ok || len(tag) != 8 {
		t.Errorf("image %s", image)
	}
	if diff := cmp.Diff(everywhere(image, "tests.suite.datastorage"), b.cluster.Tags()); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"datastorage": image}, b.records("suite")); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if b.cluster.Count(kindnodetest.Exec) != 3 || b.cluster.Count(asks) != 3 || b.cluster.Count(adds) != 3 {
		t.Errorf("more execs or calls than nodes: %v", b.cluster.Calls())
	}
}

func TestTagTwiceGivesTheSameTagAndWritesNothingTheSecondTime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.tagged("suite")
	b.api.ClearActions()
	result, err := b.client().Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage")})
	if err != nil {
		t.Fatal(err)
	}
	if got := result.Images[0]; got.Image != first || got.Changed {
		t.Errorf("got %s (changed %v), want %s", got.Image, got.Changed, first)
	}
	if len(b.writes()) > 0 || b.cluster.Count(adds) != 3 || b.cluster.Count(removes) != 0 {
		t.Errorf("API: %v, nodes: %v", b.writes(), b.cluster.Calls())
	}
}

func TestNewContentGetsANewTagAndTheOldOneStays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.tagged("suite")
	b.cluster.Load(source, otherID)
	second := b.tagged("suite")
	if first == second {
		t.Fatalf("both are %s", first)
	}
	if len(b.cluster.Tags()) != 6 || b.records("suite")["datastorage"] != second {
		t.Errorf("nodes %v, records %v", b.cluster.Tags(), b.records("suite"))
	}
	if !strings.Contains(b.configMap("suite").Data["datastorage"], first) {
		t.Error("the record does not name the previous image")
	}
}

func TestNewDrawsAnotherTagForTheSameContent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.tagged("suite")
	result, err := b.client().Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage"), New: true})
	if err != nil {
		t.Fatal(err)
	}
	got := result.Images[0]
	if got.Image == first || !got.Changed || got.ImageID != imageID || b.records("suite")["datastorage"] != got.Image {
		t.Errorf("got %+v after %s", got, first)
	}
}

func TestTwoConsumersHaveTagsOfTheirOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one, two := b.tagged("one"), b.tagged("two")
	if !strings.Contains(one, ":one-") || !strings.Contains(two, ":two-") {
		t.Errorf("images %s, %s", one, two)
	}
	want := append(everywhere(one, "tests.one.datastorage"), everywhere(two, "tests.two.datastorage")...)
	if diff := cmp.Diff(want, b.cluster.Tags(), cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	if b.records("one")["datastorage"] != one || b.records("two")["datastorage"] != two {
		t.Errorf("records %v, %v", b.records("one"), b.records("two"))
	}
}

func TestTheConsumerIsTheKindClusterUnlessSaid(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if image := b.tagged(""); !strings.HasPrefix(image, "localhost/datastorage:dev-") || b.records("dev")["datastorage"] != image {
		t.Errorf("image %s, records %v", image, b.records("dev"))
	}
}

func TestADryRunWritesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := TagInput{Suite: suite("suite", "datastorage"), DryRun: true, CreateNamespace: true}
	result, err := b.client().Tag(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if got := result.Images[0]; !got.Changed || got.Image != "" || got.Planned != "localhost/datastorage:suite-<random>" {
		t.Errorf("got %+v", got)
	}
	if len(b.writes()) > 0 || b.cluster.Count(adds) > 0 || len(b.cluster.Tags()) > 0 {
		t.Errorf("API: %v, nodes: %v", b.writes(), b.cluster.Calls())
	}
	image := b.tagged("suite")
	if result, err = b.client().Tag(t.Context(), in); err != nil || result.Images[0].Image != image || result.Images[0].Planned != "" || result.Images[0].Changed {
		t.Errorf("got %+v, %v; want %s", result, err, image)
	}
	in.New = true
	if result, err = b.client().Tag(t.Context(), in); err != nil || result.Images[0].Image != "" || result.Images[0].Planned != "localhost/datastorage:suite-<random>" {
		t.Errorf("a new one: got %+v, %v", result, err)
	}
	in.New, in.Suite.Images[0].Tag = false, "v1"
	if result, err = b.client().Tag(t.Context(), in); err != nil || result.Images[0].Image != "" || result.Images[0].Planned != "localhost/datastorage:v1" {
		t.Errorf("an exact one: got %+v, %v", result, err)
	}
}

func TestSeveralImagesComeInTheOrderAskedAndExternalOnesNot(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.cluster.Load("localhost/gateway:dev", otherID)
	s := suite("suite", "gateway", "postgres", "datastorage")
	s.Images[1] = config.Image{Name: "postgres", External: "docker.io/library/postgres:16"}
	result, err := b.client().Tag(t.Context(), TagInput{Suite: s, Values: config.TemplateValues{Random: "00000007"}})
	if err != nil {
		t.Fatal(err)
	}
	var images []string
	for _, image := range result.Images {
		images = append(images, image.Image)
	}
	if diff := cmp.Diff([]string{"localhost/gateway:suite-00000007", "localhost/datastorage:suite-00000007"}, images); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if b.cluster.Count(kindnodetest.Exec) != 3 {
		t.Errorf("more than one exec for each node: %v", b.cluster.Calls())
	}
}

func TestANodeThatLostTheTagGetsItBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	image := b.tagged("suite")
	b.cluster.Change(func(n *kindnodetest.Node) { n.Forget(image) }, "dev-worker")
	b.api.ClearActions()
	result, err := b.client().Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage")})
	if err != nil {
		t.Fatal(err)
	}
	if got := result.Images[0]; got.Image != image || !got.Changed || b.cluster.Count(adds) != 3+1 || len(b.writes()) > 0 {
		t.Errorf("got %+v; nodes %v, API %v", got, b.cluster.Calls(), b.writes())
	}
	if diff := cmp.Diff(everywhere(image, "tests.suite.datastorage"), b.cluster.Tags()); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
}

func TestANodeThatJoinedLaterGetsTheTag(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	image := b.tagged("suite")
	b.cluster.Join(b.kube.CertificateAuthorityData, "dev-worker3")
	_, err := b.client().Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage")})
	is[*InconsistentError](t, err, "missing on dev-worker3", "load it on every node")
	b.cluster.Load(source, imageID, "dev-worker3")
	if got := b.tagged("suite"); got != image {
		t.Errorf("got %s, want %s", got, image)
	}
	want := append(everywhere(image, "tests.suite.datastorage"), "dev-worker3 "+image+" tests.suite.datastorage")
	if diff := cmp.Diff(want, b.cluster.Tags()); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
}

func TestTheSourceOfTheRecordServesWhenNobodySaysOne(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := suite("suite", "datastorage")
	s.Images[0].Source = ""
	_, err := b.client().Tag(t.Context(), TagInput{Suite: s})
	is[*UsageError](t, err, "datastorage", "--source")
	image := b.tagged("suite")
	if result, err := b.client().Tag(t.Context(), TagInput{Suite: s}); err != nil || result.Images[0].Image != image {
		t.Errorf("got %+v, %v; want %s", result, err, image)
	}
}

func TestCreateNamespaceMakesOneThatIsMissing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range 2 {
		if _, err := b.client().Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage"), CreateNamespace: true}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.api.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
}
