package e2eimage

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

func grouped(names ...string) config.Suite {
	s := suite("suite", names...)
	s.TagGroup = "chart"
	return s
}

func TestAGroupSharesATagThatMoves(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.cluster.Load("localhost/gateway:dev", otherID)
	first, err := b.client().Tag(t.Context(), TagInput{Suite: grouped("datastorage", "gateway")})
	if err != nil {
		t.Fatal(err)
	}
	tag := func(i int) string { return first.Images[i].Image[len("localhost/")+len(first.Images[i].Name):] }
	if tag(0) != tag(1) {
		t.Errorf("tags %s and %s", tag(0), tag(1))
	}
	b.cluster.Load(source, thirdID)
	// Also when only that one is asked for.
	part := grouped("datastorage")
	part.Part = true
	second, err := b.client().Tag(t.Context(), TagInput{Suite: part})
	if err != nil {
		t.Fatal(err)
	}
	if got := second.Images[0]; got.Image != first.Images[0].Image || got.ImageID != thirdID {
		t.Errorf("after a change it is %+v, before %+v", got, first.Images[0])
	}
	for _, node := range []string{"dev-control-plane", "dev-worker", "dev-worker2"} {
		if got := b.imagesOn(node)[first.Images[0].Image]; got != thirdID {
			t.Errorf("node %s has %s", node, got)
		}
	}
	_, err = b.client().Tag(t.Context(), TagInput{Suite: part, New: true})
	is[*UsageError](t, err, "the whole tagGroup chart")
}

func TestASharedTagThatCannotBeMovedIsMovedBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first, err := b.client().Tag(t.Context(), TagInput{Suite: grouped("datastorage")})
	if err != nil {
		t.Fatal(err)
	}
	image, before := first.Images[0].Image, b.records("suite")
	b.cluster.Load(source, thirdID)
	b.cluster.Before = failing("Images/Update", "dev-worker2")
	_, err = b.client().Tag(t.Context(), TagInput{Suite: grouped("datastorage")})
	says(t, err, "dev-worker2")
	b.cluster.Before = nil
	for _, node := range []string{"dev-control-plane", "dev-worker", "dev-worker2"} {
		if got := b.imagesOn(node)[image]; got != imageID {
			t.Errorf("node %s has %s", node, got)
		}
	}
	if diff := cmp.Diff(before, b.records("suite")); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}
