package e2eimage

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// failing makes one call fail on one node.
func failing(call, node string) func(string, string) error {
	return func(made, on string) error {
		if made == call && on == node {
			return errBroken
		}
		return nil
	}
}

func TestNothingIsRecordedWhenOneNodeFails(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.cluster.Before = failing(adds, "dev-worker2")
	_, err := b.client().Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage")})
	says(t, err, "dev-worker2", "no space left on device")
	if as[*InconsistentError](err) || as[*UsageError](err) {
		t.Errorf("not a plain failure: %v", err)
	}
	if len(b.cluster.Tags()) > 0 || b.configMap("suite") != nil {
		t.Errorf("left on nodes: %v, in the API: %v", b.cluster.Tags(), b.configMap("suite"))
	}
}

func TestThePreviousRecordOutlivesARunThatFails(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	image := b.tagged("suite")
	before := b.configMap("suite").Data["datastorage"]
	b.cluster.Load(source, otherID)
	b.cluster.Before = failing(adds, "dev-worker2")
	_, err := b.client().Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage")})
	says(t, err, "no space left on device")
	if diff := cmp.Diff(everywhere(image, "tests.suite.datastorage"), b.cluster.Tags()); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, b.configMap("suite").Data["datastorage"]); diff != "" || b.records("suite")["datastorage"] != image {
		t.Errorf("record %v (-want +got):\n%s", b.records("suite"), diff)
	}
}

func TestOneImageThatFailsTakesTheOthersOfTheRunBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.cluster.Load("localhost/gateway:dev", otherID)
	image := b.tagged("suite")
	b.cluster.Before = failing(adds, "dev-control-plane")
	_, err := b.client().Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage", "gateway")})
	says(t, err, "dev-control-plane")
	if diff := cmp.Diff(everywhere(image, "tests.suite.datastorage"), b.cluster.Tags()); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"datastorage": image}, b.records("suite")); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestACancelledRunIsTakenBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stop := errors.New("stopped by interrupt")
	ctx, cancel := context.WithCancelCause(t.Context())
	b.cluster.Before = func(call, node string) error {
		if call == adds && node == "dev-worker" {
			cancel(stop)
		}
		return nil
	}
	_, err := b.client().Tag(ctx, TagInput{Suite: suite("suite", "datastorage")})
	var undone *UndoneError
	if !errors.Is(err, stop) || !errors.As(err, &undone) {
		t.Fatalf("error %v", err)
	}
	if len(undone.Images) != 1 || !strings.HasPrefix(undone.Images[0], "localhost/datastorage:suite-") {
		t.Errorf("taken back are %v", undone.Images)
	}
	if len(b.cluster.Tags()) > 0 || b.configMap("suite") != nil {
		t.Errorf("left on nodes: %v, in the API: %v", b.cluster.Tags(), b.configMap("suite"))
	}
}

func TestARunWhoseRecordingFailsIsTakenBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var once sync.Once
	b.api.PrependReactor("update", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		var err error
		once.Do(func() { err = errors.New("etcd is gone") })
		return err != nil, nil, err
	})
	_, err := b.client().Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage")})
	says(t, err, "etcd is gone", "e2eimage-suite")
	if len(b.cluster.Tags()) > 0 || b.configMap("suite") != nil {
		t.Errorf("left on nodes: %v, in the API: %v", b.cluster.Tags(), b.configMap("suite"))
	}
}

func TestWhatCannotBeTakenBackIsNotedAndCleaned(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.cluster.Before = func(call, node string) error {
		if call == adds && node == "dev-worker" || call == removes && node == "dev-worker2" {
			return errBroken
		}
		return nil
	}
	_, err := b.client().Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage")})
	says(t, err, "node dev-worker: ", "could not undo everything", "kubectl e2eimage clean datastorage -n tests --consumer suite --scope=cluster")
	left := b.cluster.Tags()
	if len(left) != 1 || !strings.HasPrefix(left[0], "dev-worker2 ") || len(b.records("suite")) > 0 {
		t.Fatalf("left on nodes: %v, records %v", left, b.records("suite"))
	}
	if _, err := b.client().Ref(t.Context(), RefInput{Suite: suite("suite", "datastorage")}); err == nil {
		t.Error("ref answers with a tag that is being taken back")
	}
	b.cluster.Before = nil
	if _, err := b.client().Clean(t.Context(), CleanInput{Suite: suite("suite", "datastorage")}); err != nil {
		t.Fatal(err)
	}
	if len(b.cluster.Tags()) > 0 || b.configMap("suite") != nil {
		t.Errorf("left on nodes: %v, in the API: %v", b.cluster.Tags(), b.configMap("suite"))
	}
}

// killed leaves what a run leaves that is killed between claim and record.
func (b *bench) killed(consumer, image, id string) {
	b.t.Helper()
	err := record.NewStore(b.api.CoreV1()).Update(b.t.Context(), namespace, consumer, func(set *record.Set) error {
		_, err := set.Claim(record.Wish{Name: "datastorage", Image: image, ImageID: id}, "killed", ociimage.Repository)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.cluster.Change(func(n *kindnodetest.Node) {
		n.Images[image], n.Owners[image] = id, record.Owner(namespace, consumer, "datastorage")
	}, "dev-worker")
}

func TestTheNextRunFinishesWhatAKilledOneBegan(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const image = "localhost/datastorage:suite-killed"
	b.killed("suite", image, imageID)
	if got := b.tagged("suite"); got != image {
		t.Errorf("got %s, want %s", got, image)
	}
	if diff := cmp.Diff(everywhere(image, "tests.suite.datastorage"), b.cluster.Tags()); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
}

func TestTheNextRunTakesTagsOfAKilledOneAwayWhenTheContentChanged(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.cluster.Load("localhost/old:dev", otherID)
	b.killed("suite", "localhost/datastorage:suite-killed", otherID)
	image := b.tagged("suite")
	if diff := cmp.Diff(everywhere(image, "tests.suite.datastorage"), b.cluster.Tags()); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	if strings.Contains(b.configMap("suite").Data["datastorage"], "suite-killed") {
		t.Error("the record still names the tag")
	}
}

func TestAConfigMapOfSomebodyElseIsLeftAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	theirs := &corev1.ConfigMap{}
	theirs.Name, theirs.Namespace = "e2eimage-suite", namespace
	if err := b.api.Tracker().Add(theirs); err != nil {
		t.Fatal(err)
	}
	_, err := b.client().Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage")})
	says(t, err, "is not a record")
	if len(b.cluster.Tags()) > 0 || len(b.writes()) > 0 {
		t.Errorf("nodes %v, API %v", b.cluster.Tags(), b.writes())
	}
}
