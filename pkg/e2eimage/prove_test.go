package e2eimage

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/rollout"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

func TestAContainerWithoutAProbeHasToBeOfSomeAge(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	for name, test := range map[string]struct {
		running rollout.Running
		age     time.Duration
		want    time.Duration
	}{
		"a young one":                {rollout.Running{}, 100 * time.Millisecond, proofAge - 100*time.Millisecond},
		"an old one":                 {rollout.Running{}, time.Hour, 0},
		"one of a clock that is off": {rollout.Running{}, -time.Hour, proofAge},
		"one with a probe":           {rollout.Running{Probed: true}, 0, 0},
		"one that was made to end":   {rollout.Running{Ended: true}, 0, 0},
		"an init container":          {rollout.Running{Init: true}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.running.Node, test.running.ContainerID = "a", "id"
			states := kindnode.States{"a": {Containers: []kindnode.Container{{ID: "id", Created: now.Add(-test.age)}}}}
			if got := max(0, tooYoung([]rollout.Running{test.running}, states, now)); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func TestWhatIsProved(t *testing.T) {
	t.Parallel()
	const id, other = "sha256:11", "sha256:22"
	on := func(image string, exited bool) []kindnode.Container {
		return []kindnode.Container{{ID: "c", ImageRef: image, Exited: exited}}
	}
	for name, test := range map[string]struct {
		running rollout.Running
		has     []kindnode.Container
		stands  bool
		// what comes of it: proved, dead, warned, or the error's text.
		want string
	}{
		"the recorded image":                                   {has: on(id, false), stands: true, want: "proved"},
		"another image":                                        {has: on(other, false), stands: true, want: "runs " + other + " instead of the recorded " + id},
		"a container that has ended":                           {has: on(id, true), stands: true, want: "dead"},
		"one that has ended as its pod has":                    {running: rollout.Running{Ended: true}, has: on(id, true), want: "proved"},
		"one that has ended as its pod has, and is gone":       {running: rollout.Running{Ended: true}, want: "warned"},
		"an init container":                                    {running: rollout.Running{Init: true}, has: on(id, true), stands: true, want: "proved"},
		"an init container that is gone":                       {running: rollout.Running{Init: true}, stands: true, want: "warned"},
		"one that went with its pod":                           {want: "dead"},
		"one that its node does not know, though its pod does": {stands: true, want: "an image that its node does not list"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := &warned{}
			run := &deployRun{client: &Client{report: report}, records: []recorded{{Image: config.Image{Name: "datastorage"}, Evidence: &record.Evidence{ImageID: id}}}}
			p := &proof{
				run: run, before: map[string]bool{}, lost: map[string]bool{},
				ask: func(context.Context, []string) (kindnode.States, error) {
					return kindnode.States{"a": {Containers: test.has}}, nil
				},
				stands: func(context.Context, rollout.Running) (bool, error) { return test.stands, nil },
			}
			test.running.Node, test.running.ContainerID, test.running.ImageName, test.running.Probed = "a", "c", "datastorage", true
			for round := range 2 {
				proved, dead, err := p.look(t.Context(), []rollout.Running{test.running})
				got := ""
				switch {
				case err != nil:
					got = err.Error()
				case len(proved) == 1:
					got = "proved"
				case len(dead) == 1:
					got = "dead"
				case len(report.said) == 1:
					got = "warned"
				}
				if !strings.Contains(got, test.want) || len(proved)+len(dead)+len(report.said) > 1 {
					t.Errorf("round %d: %s, want %s", round, got, test.want)
				}
				if test.want == "proved" {
					// It stays proved, though the kubelet may have removed it since.
					test.has = nil
				}
			}
		})
	}
}

// warned keeps warnings.
type warned struct {
	progress.Discard
	said []string
}

func (w *warned) Warn(text string) { w.said = append(w.said, text) }
