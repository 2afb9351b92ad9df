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

func (r *reported) Start(progress.Step) progress.Running { return &reportedStep{r} }

func (r *reported) Output(string, string) bool { return true }

type reportedStep struct{ *reported }

func (s *reportedStep) Now(string) {}

func (s *reportedStep) Result(string) {}

func (s *reportedStep) End(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = append(s.ended, err)
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
