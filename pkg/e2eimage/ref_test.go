package e2eimage

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

func TestRefReadsTheRecordAndNothingElse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	image := b.tagged("suite")
	b.api.ClearActions()
	ran := len(b.cluster.Calls())
	for _, consumer := range []string{"suite", ""} {
		result, err := b.client().Ref(t.Context(), RefInput{Suite: suite(consumer, "datastorage")})
		if err != nil {
			t.Fatal(err)
		}
		want := &RefResult{Consumer: "suite", Namespace: namespace, From: UseCluster, Images: []Ref{{
			Name: "datastorage", Image: image, Repository: "localhost/datastorage", Tag: strings.TrimPrefix(image, "localhost/datastorage:"),
			ImageID: imageID, Source: source,
		}}}
		if diff := cmp.Diff(want, result, cmpopts.IgnoreFields(Ref{}, "Recorded"), cmpopts.IgnoreUnexported(Images{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if result.Images[0].Recorded.IsZero() {
			t.Error("it does not say since when")
		}
	}
	if len(b.api.Actions()) != 2 || len(b.cluster.Calls()) != ran {
		t.Errorf("API %v, nodes %v", b.api.Actions(), b.cluster.Calls()[ran:])
	}
}

func TestRefKeepsTheOrderAskedAndLeavesExternalImagesOut(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.cluster.Load("localhost/gateway:dev", otherID)
	if _, err := b.client().Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage", "gateway")}); err != nil {
		t.Fatal(err)
	}
	s := suite("suite", "gateway", "postgres", "datastorage")
	s.Images[1] = config.Image{Name: "postgres", External: "docker.io/library/postgres:16"}
	result, err := b.client().Ref(t.Context(), RefInput{Suite: s})
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Images) != 2 || result.Images[0].Name != "gateway" || result.Images[1].Name != "datastorage" {
		t.Errorf("got %+v", result.Images)
	}
}

func TestRefWithoutARecordSaysWhatIsRecorded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, err := b.client().Ref(t.Context(), RefInput{Suite: suite("", "datastorage")})
	says(t, err, `no record of datastorage in namespace "tests"`, "kubectl e2eimage tag datastorage -n tests")
	b.tagged("other")
	_, err = b.client().Ref(t.Context(), RefInput{Suite: suite("suite", "datastorage")})
	says(t, err, `for consumer "suite"`, "datastorage for consumer other")
	_, err = b.client().Ref(t.Context(), RefInput{Suite: suite("", "gateway")})
	says(t, err, "no record of gateway", "datastorage for consumer other")
	if as[*UsageError](err) || as[*InconsistentError](err) {
		t.Errorf("not a plain failure: %v", err)
	}
}

func TestRefOfSeveralConsumersAsksWhich(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one, two := b.tagged("one"), b.tagged("two")
	_, err := b.client().Ref(t.Context(), RefInput{Suite: suite("", "datastorage")})
	is[*UsageError](t, err, "several consumers", "one, two", "--consumer")
	for consumer, want := range map[string]string{"one": one, "two": two} {
		result, err := b.client().Ref(t.Context(), RefInput{Suite: suite(consumer, "datastorage")})
		if err != nil || result.Images[0].Image != want {
			t.Errorf("%s: %+v, %v; want %s", consumer, result, err, want)
		}
	}
}

func TestRefTakesTheOnlyConsumerThatHasAllTheImages(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tagged("one")
	b.cluster.Load("localhost/gateway:dev", otherID)
	if _, err := b.client().Tag(t.Context(), TagInput{Suite: suite("two", "datastorage", "gateway")}); err != nil {
		t.Fatal(err)
	}
	result, err := b.client().Ref(t.Context(), RefInput{Suite: suite("", "datastorage", "gateway")})
	if err != nil || result.Consumer != "two" {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestRefOfAClaimIsInconsistent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.killed("suite", "localhost/datastorage:suite-killed", imageID)
	_, err := b.client().Ref(t.Context(), RefInput{Suite: suite("", "datastorage")})
	is[*InconsistentError](t, err, "datastorage is pending for consumer suite", "kubectl e2eimage tag datastorage -n tests --consumer suite")
}

// tamper changes the annotation of datastorage by hand.
func (b *bench) tamper(consumer string) {
	b.t.Helper()
	configMap := b.configMap(consumer)
	configMap.Annotations["image.e2eimage.dev/datastorage"] = "localhost/datastorage:mine"
	if _, err := b.api.CoreV1().ConfigMaps(namespace).Update(b.t.Context(), configMap, metav1.UpdateOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

func TestARecordThatWasChangedByHandIsInconsistent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	image := b.tagged("suite")
	b.tamper("suite")
	for _, consumer := range []string{"suite", ""} {
		_, err := b.client().Ref(t.Context(), RefInput{Suite: suite(consumer, "datastorage")})
		is[*InconsistentError](t, err, "changed by hand", "localhost/datastorage:mine", image)
	}
	_, err := b.client().Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage")})
	is[*InconsistentError](t, err, "changed by hand", "kubectl e2eimage clean datastorage -n tests --consumer suite")
}

func TestTheNamespaceOfTheSuiteGoesBeforeTheKubeconfigs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := suite("suite", "datastorage")
	s.Namespace = "elsewhere"
	tagged, err := b.client().Tag(t.Context(), TagInput{Suite: s})
	if err != nil || tagged.Images[0].Namespace != "elsewhere" {
		t.Fatalf("%+v, %v", tagged, err)
	}
	if result, err := b.client().Ref(t.Context(), RefInput{Suite: s}); err != nil || result.Namespace != "elsewhere" {
		t.Errorf("%+v, %v", result, err)
	}
	if _, err := b.client().Ref(t.Context(), RefInput{Suite: suite("suite", "datastorage")}); err == nil {
		t.Error("it is in the kubeconfig's namespace, too")
	}
}
