package e2eimage

import (
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
)

func TestNodesAreChosenByName(t *testing.T) {
	t.Parallel()
	states := kindnode.States{"dev-control-plane": {}, "dev-worker": {}, "dev-worker2": {}}
	for _, test := range []struct {
		name  string
		nodes []string
		want  string
		wrong []string
	}{
		{name: "all where none is said", want: "dev-control-plane dev-worker dev-worker2"},
		{name: "those that are said", nodes: []string{"dev-worker2", "dev-worker"}, want: "dev-worker dev-worker2"},
		{
			name: "all that are misspelt are told", nodes: []string{"dev-workr", "dev-worker", "elsewhere"},
			wrong: []string{`no node "dev-workr"; the nodes are dev-control-plane, dev-worker, dev-worker2; did you mean "dev-worker"?`, `no node "elsewhere"`},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			chosen, err := onNodes(test.nodes, states)
			if len(test.wrong) > 0 {
				is[*UsageError](t, err, test.wrong...)
				return
			}
			if got := strings.Join(sortedKeys(chosen), " "); err != nil || got != test.want {
				t.Errorf("chosen %s, want %s, %v", got, test.want, err)
			}
		})
	}
}
