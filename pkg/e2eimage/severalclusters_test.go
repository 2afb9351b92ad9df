package e2eimage

import (
	"sync"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
)

func TestOneLockCarriesOneTagIntoSeveralClusters(t *testing.T) {
	t.Parallel()
	s := suite("suite", "datastorage")
	s.LockDir = t.TempDir()
	clusters := []*bench{newBench(t), newBench(t), newBench(t)}
	tag := func(b *bench) string {
		result, err := b.client().Tag(t.Context(), TagInput{Suite: s})
		if err != nil {
			t.Error(err)
			return ""
		}
		return result.Images[0].Image
	}
	first := tag(clusters[0])
	var all sync.WaitGroup
	for _, b := range clusters[1:] {
		all.Go(func() {
			if got := tag(b); got != first {
				t.Errorf("another cluster has %s, want %s", got, first)
			}
		})
	}
	all.Wait()
	for i, b := range clusters {
		if got := b.records("suite")["datastorage"]; got != first || b.imagesOn("dev-worker")[first] != imageID {
			t.Errorf("cluster %d has %s recorded and %v", i, got, b.imagesOn("dev-worker"))
		}
	}
	locked, err := lock.NewFile(s.LockFile("suite"), "suite", "").Read()
	if err != nil {
		t.Fatal(err)
	}
	if entry := locked.Images["datastorage"]; entry.Image != first || len(entry.Clusters) != len(clusters) {
		t.Errorf("the lock has %+v", entry)
	}
}
