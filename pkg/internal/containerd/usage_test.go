package containerd

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/images"
)

func TestBlobsThatImagesShareAreNobodysOwn(t *testing.T) {
	t.Parallel()
	of := func(blobs ...string) map[string]bool {
		all := map[string]bool{}
		for _, blob := range blobs {
			all[blob] = true
		}
		return all
	}
	sizes := map[string]int64{"m1": 1, "m2": 1, "m2-again": 1, "a": 10, "b": 10, "base": 1000, "own": 100, "loose": 5000}
	got := usageOf(sizes, map[string]map[string]bool{
		"a": of("m1", "a", "base"), "b": of("m2", "m2-again", "b", "base", "own", "discarded"),
	})
	want := map[string]images.Usage{"a": {Bytes: 1011, Unshared: 11}, "b": {Bytes: 1112, Unshared: 112}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
