package e2eimage

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/e2eimage/kubectl-e2eimage/internal/newesttest"
)

var (
	newestSeed  = flag.Uint64("newest.seed", 0, "the one sequence of TestPodsRunWhatIsNewest that is to be repeated; 0 is all")
	newestFirst = flag.Uint64("newest.first", 1, "seed of its first sequence")
	newestCount = flag.Uint64("newest.count", 400, "how many sequences it has")
)

// Whenever deploy, up or verify ends well, the pods run the newest content that any step
// of the suite has built, or it was said that this could not be known.
func TestPodsRunWhatIsNewest(t *testing.T) {
	t.Parallel()
	ca := newCA(t)
	first, count := *newestFirst, *newestCount
	if *newestSeed != 0 {
		first, count = *newestSeed, 1
	}
	tally := &tally{ended: map[string]int{}}
	t.Run("sequences", func(t *testing.T) {
		for seed := first; seed < first+count; seed++ {
			t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
				t.Parallel()
				s := newesttest.Draw(seed)
				found := play(t, ca, s, func(i int, err error) {
					tally.count(s.Steps[i].Do, err)
					if *newestSeed != 0 {
						t.Logf("%s: %v", s.Steps[i], err)
					}
				})
				if found != nil {
					s, found = shrunk(t, ca, s, found)
					t.Errorf("-newest.seed=%d: after step %d of\n%s%s", seed, found.at+1, s, found.text)
				}
			})
		}
	})
	t.Logf("%d sequences, of which steps ended well and otherwise:\n%s", count, tally)
}

// play carries a sequence out in a world of its own, where time passes at once.
func play(t *testing.T, ca []byte, s newesttest.Sequence, count func(int, error)) (found *violation) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		found = newWorld(t, s.Traits, ca).play(s.Steps, count)
	})
	return found
}

// shrunk leaves out what is not needed for the violation.
func shrunk(t *testing.T, ca []byte, s newesttest.Sequence, found *violation) (newesttest.Sequence, *violation) {
	t.Helper()
	s.Steps = s.Steps[:found.at+1]
	for i := len(s.Steps) - 2; i >= 0; i-- {
		fewer := s
		fewer.Steps = slices.Delete(slices.Clone(s.Steps), i, i+1)
		if still := play(t, ca, fewer, nil); still != nil {
			s, found = fewer, still
			s.Steps = s.Steps[:found.at+1]
			i = min(i, len(s.Steps)-1)
		}
	}
	return s, found
}

// tally counts how steps ended.
type tally struct {
	mu    sync.Mutex
	ended map[string]int
}

func (c *tally) count(do newesttest.Verb, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.ended[fmt.Sprintf("%-28s otherwise", do)]++
		return
	}
	c.ended[fmt.Sprintf("%-28s well", do)]++
}

func (c *tally) String() string {
	var text strings.Builder
	for _, one := range slices.Sorted(maps.Keys(c.ended)) {
		fmt.Fprintf(&text, "  %s %d\n", one, c.ended[one])
	}
	return text.String()
}
