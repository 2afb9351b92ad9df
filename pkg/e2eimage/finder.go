package e2eimage

import (
	"context"
	"sync"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

// finder asks engines for each image once in a run, however many records came from it.
type finder struct {
	runner hostexec.Runner

	mu    sync.Mutex
	asked map[[2]string]func() (engine.Image, error)
}

func (c *Client) newFinder() *finder {
	return &finder{runner: c.runner, asked: map[[2]string]func() (engine.Image, error){}}
}

// find is engine.Find.
func (f *finder) find(ctx context.Context, only, reference string) (engine.Image, error) {
	key := [2]string{only, reference}
	f.mu.Lock()
	ask, begun := f.asked[key]
	if !begun {
		ask = sync.OnceValues(func() (engine.Image, error) { return engine.Find(ctx, f.runner, only, reference) })
		f.asked[key] = ask
	}
	f.mu.Unlock()
	return ask()
}
