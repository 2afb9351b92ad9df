package workload

import (
	"sync"

	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// reported keeps what a reporter was told.
type reported struct {
	mu       sync.Mutex
	warnings []string
	infos    []string
	ended    []error
}

var _ progress.Reporter = (*reported)(nil)

func (r *reported) Start(string) func(error) {
	return func(err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ended = append(r.ended, err)
	}
}

func (r *reported) Info(message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.infos = append(r.infos, message)
}

func (r *reported) Warn(message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.warnings = append(r.warnings, message)
}

func (r *reported) Transfer(string, int64) progress.Transfer {
	return progress.Discard{}.Transfer("", 0)
}
