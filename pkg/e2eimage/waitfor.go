package e2eimage

import (
	"context"
	"fmt"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/apply"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// waitFor checks the workloads that are only waited for.
func (m *mistakes) waitFor(suite config.Suite) {
	for i, text := range suite.WaitFor {
		if _, err := kube.ParseReference(text, "default"); err != nil {
			m.add(fmt.Errorf("waitFor[%d]: %w", i, err))
		}
	}
}

// others are the suite's workloads that run none of its images, to be waited for beside those
// that are deployed to. Each is given as long as the longest of these, unless timeout says
// it.
func (k *apiServer) others(ctx context.Context, suite config.Suite, timeout time.Duration,
	among []kube.Target,
) ([]kube.Target, error) {
	if len(suite.WaitFor) == 0 {
		return nil, nil
	}
	options := apply.Options{Namespace: k.namespace}
	for _, target := range among {
		options.Timeout = max(options.Timeout, target.Timeout())
		options.MaxRestarts = max(options.MaxRestarts, target.MaxRestarts())
	}
	if len(among) == 0 {
		options.Timeout, options.MaxRestarts = config.DefaultTimeout, config.DefaultMaxRestarts
	}
	if timeout > 0 {
		options.Timeout = timeout
	}
	return apply.Others(ctx, k, options, suite.WaitFor, among)
}
