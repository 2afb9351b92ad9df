package apply

import (
	"context"
	"fmt"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// ClaimedError says that a workload is another consumer's.
type ClaimedError struct {
	Workload, Namespace, Consumer, Ours string
}

func (e *ClaimedError) Error() string {
	return fmt.Sprintf("%s in namespace %s is deployed by consumer %q, not %q\n"+
		"to deploy it there anyway: --take-over",
		e.Workload, e.Namespace, e.Consumer, e.Ours)
}

// checkMark tells whether the workload carries another consumer's mark that has
// to be replaced; that of a consumer who is alive is an error unless taken over.
func (p *Plan) checkMark(ctx context.Context, t *target) (replace bool, err error) {
	mark := t.Object.Meta.Annotations[kube.ConsumerAnnotation]
	if mark == "" || mark == p.options.Consumer {
		return false, nil
	}
	if p.options.TakeOver {
		return true, nil
	}
	alive, err := p.alive(ctx, t.Ref.Namespace, mark)
	if err != nil {
		return false, fmt.Errorf("%s is deployed by consumer %q; whether that still has records: %w", t.Ref.Where(), mark,
			err)
	}
	if alive {
		return false, &ClaimedError{
			Workload: t.Ref.String(), Namespace: t.Ref.Namespace, Consumer: mark,
			Ours: p.options.Consumer,
		}
	}
	return true, nil
}

// alive looks for records where ours are, and beside the workload.
func (p *Plan) alive(ctx context.Context, namespace, consumer string) (bool, error) {
	if p.options.Alive == nil {
		return true, nil
	}
	alive, err := p.options.Alive(ctx, p.options.Namespace, consumer)
	if err != nil || alive || namespace == p.options.Namespace {
		return alive, err
	}
	return p.options.Alive(ctx, namespace, consumer)
}
