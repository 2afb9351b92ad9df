package e2eimage

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// doing says what a load does with nodes, or a registry, that lack the image, or its name.
func doing(source string, lacking, all []string) string {
	if len(lacking) == 0 {
		return fmt.Sprintf("Naming %s on %s", source, nodesOf(all))
	}
	return fmt.Sprintf("Copying %s to %s", source, nodesOf(lacking))
}

// onAll says that all nodes are meant.
func onAll(nodes int) string {
	if nodes == 1 {
		return "the node"
	}
	return fmt.Sprintf("all %d nodes", nodes)
}

// transfer tells how far the slowest node is: all get the same at the same time.
type transfer struct {
	working progress.Running
	// total is what each node is to get, 0 where nobody knows.
	total map[string]int64

	mu   sync.Mutex
	sent map[string]int64
	told time.Time
}

// between is how often a view is told at most: more often nobody sees.
const between = 100 * time.Millisecond

func (t *transfer) add(node string, bytes int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent[node] += bytes
	now := time.Now()
	if now.Sub(t.told) < between {
		return
	}
	t.told = now
	slowest := node
	for other := range t.total {
		if t.sent[other] < t.sent[slowest] {
			slowest = other
		}
	}
	state := progress.Bytes(t.sent[slowest])
	if total := t.total[slowest]; total >= t.sent[slowest] && total > 0 {
		state += " of " + progress.Bytes(total)
	}
	t.working.Now(state)
}

// totals are what goes to each node, as far as the engine tells the image's size and the
// nodes tell the rest.
func (r *loadRun) totals(f *from, lacking []string) map[string]int64 {
	totals := map[string]int64{}
	for _, node := range lacking {
		total := int64(0)
		if f.engine != nil {
			total = f.engine.Size
			missing := r.states[node].Missing(f.image, r.states.KnowsLayer)
			for _, diffID := range f.image.DiffIDs {
				if bytes, _ := r.states.LayerSize(diffID); !slices.Contains(missing, diffID) {
					total -= bytes
				}
			}
		}
		totals[node] = max(total, 0)
	}
	return totals
}
