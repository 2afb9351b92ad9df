package e2eimage

import (
	"slices"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
)

func TestWhatMendsANodeWithoutTheImage(t *testing.T) {
	t.Parallel()
	const sourceSaid = " datastorage -n " + namespace + " --consumer suite --source " + source
	for name, test := range map[string]struct {
		lose func(n *kindnodetest.Node, recorded string)
		want string
	}{
		"it has the content": {
			func(n *kindnodetest.Node, recorded string) { delete(n.Images, recorded); delete(n.Owners, recorded) },
			"kubectl e2eimage tag" + sourceSaid,
		},
		"it has nothing of it": {
			func(n *kindnodetest.Node, _ string) { n.Empty() },
			"kubectl e2eimage load" + sourceSaid + " && kubectl e2eimage tag" + sourceSaid,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			recorded := b.tagged("suite")
			b.cluster.Change(func(n *kindnodetest.Node) { test.lose(n, recorded) }, "dev-worker")
			result, err := b.client().Status(t.Context(), StatusInput{Suite: suite("suite", "datastorage")})
			if err != nil {
				t.Fatal(err)
			}
			for _, problem := range result.Images[0].Problems {
				if problem.State == StateMissing && problem.mend == test.want {
					return
				}
			}
			t.Errorf("the problems are %+v, want one that %s mends", result.Images[0].Problems, test.want)
		})
	}
}

func TestStatusSaysWhatBlobsTakeOnEachNode(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tagged("suite")
	want := []NodeDisk{{"dev-control-plane", 1000, 1000}, {"dev-worker", 1000, 1000}, {"dev-worker2", 1000, 1000}}
	if got := b.status().Disk; !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	b.cluster.Change(func(n *kindnodetest.Node) { n.Empty() }, "dev-worker")
	if got := b.status().Disk; !slices.Equal(got, append(want[:1:1], want[2])) {
		t.Errorf("without the image on dev-worker got %+v", got)
	}
}
