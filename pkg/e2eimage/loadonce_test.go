package e2eimage

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine/enginetest"
)

// loadBench has an engine with three images, of which two are the same.
func loadBench(t *testing.T) (*bench, *Client) {
	t.Helper()
	b := newBench(t)
	docker := enginetest.New(enginetest.Docker)
	same := enginetest.NewImage("first")
	docker.Put("localhost/a:dev", same)
	docker.Put("localhost/b:dev", same)
	docker.Put("localhost/c:dev", enginetest.NewImage("second"))
	client := b.client()
	client.runner = besideCluster{docker, b.cluster}
	return b, client
}

func TestNodesAreAskedOnceHoweverManyImagesAreLoaded(t *testing.T) {
	t.Parallel()
	b, client := loadBench(t)
	for round, want := range []map[string]bool{{"b": true}, {}} {
		result, err := client.Load(t.Context(), LoadInput{Suite: suite("suite", "a", "b", "c")})
		if err != nil {
			t.Fatal(err)
		}
		if got := b.cluster.Count(asks); got != 3*(round+1) {
			t.Errorf("round %d: %d answers of the nodes in all", round, got)
		}
		named := map[string]bool{}
		for _, image := range result.Images {
			for _, node := range image.Nodes {
				if node.Named {
					named[image.Name] = true
				}
			}
		}
		if diff := cmp.Diff(want, named); diff != "" {
			t.Errorf("round %d: only named (-want +got):\n%s", round, diff)
		}
	}
}

func TestNodesAreAskedAgainAfterAnImageThatFailed(t *testing.T) {
	t.Parallel()
	b, client := loadBench(t)
	var failed atomic.Bool
	b.cluster.Before = func(call, _ string) error {
		if call == adds && failed.CompareAndSwap(false, true) {
			return errors.New("cut off")
		}
		return nil
	}
	result, err := client.Load(t.Context(), LoadInput{Suite: suite("suite", "a", "b", "c")})
	if err == nil || len(result.Images) != 2 {
		t.Errorf("%d images, error %v", len(result.Images), err)
	}
	if got := b.cluster.Count(asks); got != 6 {
		t.Errorf("%d answers of the nodes in all", got)
	}
}
