package e2eimage

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
)

// tag runs Tag for datastorage of the consumer "suite" with a changed image.
func (b *bench) tag(change func(*config.Image)) (string, error) {
	b.t.Helper()
	s := suite("suite", "datastorage")
	change(&s.Images[0])
	result, err := b.client().Tag(b.t.Context(), TagInput{Suite: s})
	if err != nil {
		if len(b.cluster.Tags()) > 0 || b.configMap("suite") != nil {
			b.t.Errorf("a failed run leaves on nodes %v, in the API %v", b.cluster.Tags(), b.configMap("suite"))
		}
		return "", err
	}
	return result.Images[0].Image, nil
}

func asIs(*config.Image) {}

func TestASourceThatSomeNodesLackIsInconsistent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.cluster.Change(func(n *kindnodetest.Node) { delete(n.Images, source) }, "dev-worker", "dev-worker2")
	_, err := b.tag(asIs)
	is[*InconsistentError](t, err, "sha256:111111111111 on dev-control-plane", "missing on dev-worker, dev-worker2", "kubectl e2eimage load "+source)
}

func TestASourceThatNodesHaveWithDifferentContentIsInconsistent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.cluster.Load(source, otherID, "dev-worker2")
	_, err := b.tag(asIs)
	is[*InconsistentError](t, err, "sha256:111111111111 on dev-control-plane, dev-worker\n", "sha256:222222222222 on dev-worker2")
	if strings.Contains(err.Error(), "missing") {
		t.Errorf("nothing is missing: %v", err)
	}
}

func TestASourceThatNoNodeHasIsSaidWithWhatTheyHave(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, err := b.tag(func(i *config.Image) { i.Source = "localhost/datastorage:typo" })
	says(t, err, `no node of Kind cluster "dev" has the source localhost/datastorage:typo`, "they have "+source, "load it first: kubectl e2eimage load")
	if as[*InconsistentError](err) {
		t.Errorf("nothing disagrees: %v", err)
	}
}

func TestASourceIsFoundByEitherSpelling(t *testing.T) {
	t.Parallel()
	for spelling, held := range map[string]string{
		"storage:dev":   "docker.io/library/storage:dev",
		"storage:dev ":  "localhost/storage:dev",
		"team/storage":  "docker.io/team/storage:latest",
		"team/storage ": "localhost/team/storage:latest",
		imageID:         "localhost/x:y",
		imageID[7:]:     "localhost/x:y",
	} {
		t.Run(spelling, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.cluster.Change(func(n *kindnodetest.Node) { n.Images = map[string]string{held: imageID} })
			if _, err := b.tag(func(i *config.Image) { i.Source = strings.TrimSpace(spelling) }); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestASpellingThatIsTwoImagesIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.cluster.Load("docker.io/library/storage:dev", imageID)
	b.cluster.Load("localhost/storage:dev", otherID)
	_, err := b.tag(func(i *config.Image) { i.Source = "storage:dev" })
	says(t, err, "docker.io/library/storage:dev and localhost/storage:dev are different images")
}

func TestAllMistakesOfASuiteComeAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.cluster.Load("localhost/gateway:dev", otherID, "dev-worker")
	s := suite("suite", "gateway", "nosuch", "datastorage")
	_, err := b.client().Tag(t.Context(), TagInput{Suite: s})
	is[*InconsistentError](t, err, "gateway: the nodes", "nosuch: no node")
}

func TestATargetThatIsAnotherImageIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.cluster.Load("localhost/datastorage:v1", otherID, "dev-worker")
	_, err := b.tag(func(i *config.Image) { i.Tag = "v1" })
	is[*InconsistentError](t, err, "on node dev-worker localhost/datastorage:v1 is another image already", "sha256:222222222222 instead of sha256:111111111111")
}

func TestATargetThatBecomesAnotherImageMeanwhileIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.cluster.Before = func(call, node string) error {
		if call == adds && node == "dev-worker" {
			b.cluster.Load("localhost/datastorage:v1", otherID, node)
		}
		return nil
	}
	_, err := b.tag(func(i *config.Image) { i.Tag = "v1" })
	is[*InconsistentError](t, err, "dev-worker", "another image already")
	if b.imagesOn("dev-worker")["localhost/datastorage:v1"] != otherID {
		t.Error("the other image lost its name")
	}
}

func TestATargetOfAnotherRecordIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	exact := func(consumer string) error {
		s := suite(consumer, "datastorage")
		s.Images[0].Tag = "v1"
		_, err := b.client().Tag(t.Context(), TagInput{Suite: s})
		return err
	}
	if err := exact("one"); err != nil {
		t.Fatal(err)
	}
	is[*InconsistentError](t, exact("two"), "localhost/datastorage:v1 belongs to another record, tests.one.datastorage")
	if diff := cmp.Diff(everywhere("localhost/datastorage:v1", "tests.one.datastorage"), b.cluster.Tags()); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
}

func TestAnExactTagIsNotMovedToOtherContent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if _, err := b.tag(func(i *config.Image) { i.Tag = "v1" }); err != nil {
		t.Fatal(err)
	}
	b.cluster.Load(source, otherID)
	s := suite("suite", "datastorage")
	s.Images[0].Tag = "v1"
	_, err := b.client().Tag(t.Context(), TagInput{Suite: s})
	is[*InconsistentError](t, err, "cannot be moved", "kubectl e2eimage clean datastorage")
	if diff := cmp.Diff(everywhere("localhost/datastorage:v1", "tests.suite.datastorage"), b.cluster.Tags()); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
}

func TestATemplateThatYieldsNoTagIsAUsageError(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, err := b.tag(func(i *config.Image) { i.TagTemplate = "{{.GitShort}}" })
	is[*UsageError](t, err, "datastorage", ".GitShort")
}
