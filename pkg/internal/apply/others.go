package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// Others reads workloads, as [NAMESPACE/]KIND/NAME, that get no image, so that they can be waited
// for with those that do. Those are left out that are among these already. All mistakes
// are reported together.
func Others(ctx context.Context, api kube.API, options Options, workloads []string,
	among []kube.Target,
) ([]kube.Target, error) {
	var others []kube.Target
	var mistakes []error
	there := &inventory{api: api}
	for _, text := range workloads {
		ref, err := kube.ParseReference(text, options.Namespace)
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		if slices.ContainsFunc(slices.Concat(among, others), func(t kube.Target) bool { return t.Ref == ref }) {
			continue
		}
		t := &target{Target: kube.Target{
			Ref: ref, Defaults: kube.Image{Timeout: options.Timeout, MaxRestarts: options.MaxRestarts},
		}}
		err = (&Plan{api: api}).read(ctx, t)
		switch {
		case apierrors.IsNotFound(err):
			mistakes = append(mistakes, there.notThere(ctx, ref))
		case err != nil:
			mistakes = append(mistakes, err)
		default:
			others = append(others, t.Target)
		}
	}
	return others, errors.Join(mistakes...)
}

// notThere says what there is instead of a workload that is waited for.
func (i *inventory) notThere(ctx context.Context, ref kube.Reference) error {
	there := suggestions(ref, i.list(ctx, ref.Namespace))
	if len(there) == 0 {
		return fmt.Errorf("there is no %s to wait for, and no other workload", ref.Where())
	}
	return fmt.Errorf("there is no %s to wait for; there is %s\nsay which in waitFor in e2eimage.yaml", ref.Where(),
		strings.Join(there, ", "))
}
