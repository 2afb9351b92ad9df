package e2eimage

import (
	"testing"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/workload"
)

func TestAContainerWithoutAProbeHasToBeOfSomeAge(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	for name, test := range map[string]struct {
		running workload.Running
		age     time.Duration
		want    time.Duration
	}{
		"a young one":                {workload.Running{}, 100 * time.Millisecond, proofAge - 100*time.Millisecond},
		"an old one":                 {workload.Running{}, time.Hour, 0},
		"one of a clock that is off": {workload.Running{}, -time.Hour, proofAge},
		"one with a probe":           {workload.Running{Probed: true}, 0, 0},
		"one that was made to end":   {workload.Running{Ended: true}, 0, 0},
		"an init container":          {workload.Running{Init: true}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.running.Node, test.running.ContainerID = "a", "id"
			states := map[string]kindnode.State{"a": {Containers: []kindnode.Container{{ID: "id", Created: now.Add(-test.age)}}}}
			if got := max(0, tooYoung([]workload.Running{test.running}, states, now)); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}
