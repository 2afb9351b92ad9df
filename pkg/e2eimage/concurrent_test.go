package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
)

const runs = 8

func TestManyRunsAtOnceAgreeOnOneTag(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	images := make([]string, runs)
	var all sync.WaitGroup
	for i := range runs {
		all.Go(func() {
			result, err := b.client().Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage")})
			if err != nil {
				t.Error(err)
				return
			}
			images[i] = result.Images[0].Image
		})
	}
	all.Wait()
	for _, image := range images {
		if image != images[0] {
			t.Errorf("one run says %s, another %s", image, images[0])
		}
	}
	if diff := cmp.Diff(everywhere(images[0], "tests.suite.datastorage"), b.cluster.Tags()); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"datastorage": images[0]}, b.records("suite")); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestARunThatIsCancelledLeavesTheTagToThoseThatAdoptedIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	var first atomic.Bool
	held, release := make(chan struct{}), make(chan struct{})
	b.cluster.Before = func(call, node string) error {
		if call == adds && node == "dev-worker" && first.CompareAndSwap(false, true) {
			close(held)
			<-release
		}
		return nil
	}
	cancelled := make(chan error)
	go func() {
		_, err := b.client().Tag(ctx, TagInput{Suite: suite("suite", "datastorage")})
		cancelled <- err
	}()
	<-held
	image := b.tagged("suite")
	cancel()
	close(release)
	if err := <-cancelled; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff(everywhere(image, "tests.suite.datastorage"), b.cluster.Tags()); diff != "" || b.records("suite")["datastorage"] != image {
		t.Errorf("records %v, nodes (-want +got):\n%s", b.records("suite"), diff)
	}
}

func TestManyConsumersAtOnceDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var all sync.WaitGroup
	for i := range runs {
		all.Go(func() {
			consumer := fmt.Sprintf("suite%d", i)
			if _, err := b.client().Tag(t.Context(), TagInput{Suite: suite(consumer, "datastorage")}); err != nil {
				t.Error(err)
				return
			}
			if i%2 == 0 {
				return
			}
			if _, err := b.client().Clean(t.Context(), CleanInput{Suite: suite(consumer, "datastorage")}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := len(b.cluster.Tags()); got != 3*runs/2 {
		t.Errorf("%d tags: %v", got, b.cluster.Tags())
	}
	for i := range runs {
		if recorded := len(b.records(fmt.Sprintf("suite%d", i))); recorded != (i+1)%2 {
			t.Errorf("suite%d has %d records", i, recorded)
		}
	}
}

func TestTagAndCleanAtOnceLeaveNoTagWithoutARecord(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tagged("suite")
	var all sync.WaitGroup
	for i := range runs {
		all.Go(func() {
			// Either may come too late for the other: only what is left counts.
			if i%2 == 0 {
				_, _ = b.client().Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage")})
			} else {
				_, _ = b.clean(unchanged)
			}
		})
	}
	all.Wait()
	image := b.tagged("suite")
	if diff := cmp.Diff(everywhere(image, "tests.suite.datastorage"), b.cluster.Tags()); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
}

func TestARunWhoseClaimWasCleanedMeanwhileTakesItsTagsBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var first atomic.Bool
	b.cluster.Before = func(call, node string) error {
		if call == adds && node == "dev-worker" && first.CompareAndSwap(false, true) {
			_, err := b.clean(unchanged)
			return err
		}
		return nil
	}
	_, err := b.client().Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage")})
	is[*InconsistentError](t, err, "tagged by another run")
	if len(b.cluster.Tags()) > 0 || b.configMap("suite") != nil {
		t.Errorf("left on nodes: %v, in the API: %v", b.cluster.Tags(), b.configMap("suite"))
	}
}

func TestATagThatIsCleanedAfterTheProbeIsPutBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const image = "localhost/datastorage:v1"
	s := suite("suite", "datastorage")
	s.Images[0].Tag = "v1"
	if _, err := b.client().Tag(t.Context(), TagInput{Suite: s}); err != nil {
		t.Fatal(err)
	}
	var probed atomic.Int32
	b.cluster.After = func(call, _ string) {
		if call == asks && probed.Add(1) == 3 {
			if _, err := b.clean(unchanged); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := b.client().Tag(t.Context(), TagInput{Suite: s}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(everywhere(image, "tests.suite.datastorage"), b.cluster.Tags()); diff != "" || b.records("suite")["datastorage"] != image {
		t.Errorf("records %v, nodes (-want +got):\n%s", b.records("suite"), diff)
	}
}

func TestARecordedTagThatIsCleanedWhileItIsPutBackIsTakenOffAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	image := b.tagged("suite")
	b.cluster.Change(func(n *kindnodetest.Node) { n.Forget(image) }, "dev-worker")
	var first atomic.Bool
	b.cluster.Before = func(call, _ string) error {
		if call == adds && first.CompareAndSwap(false, true) {
			_, err := b.clean(unchanged)
			return err
		}
		return nil
	}
	_, err := b.client().Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage")})
	is[*InconsistentError](t, err, "nothing instead of "+image)
	if len(b.cluster.Tags()) > 0 || b.configMap("suite") != nil {
		t.Errorf("left on nodes: %v, in the API: %v", b.cluster.Tags(), b.configMap("suite"))
	}
}
