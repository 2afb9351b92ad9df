package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/outlive"
)

// resourceOf is the API of an object's kind where the object is.
func (c Cluster) resourceOf(o manifestObject, mapping *meta.RESTMapping) dynamic.ResourceInterface {
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return c.Dynamic.Resource(mapping.Resource).Namespace(o.GetNamespace())
	}
	return c.Dynamic.Resource(mapping.Resource)
}

// serverSide applies an object. Fields that others own are an error, unless they are
// to be taken over; those that an earlier run of ours patched are ours, and those
// applied client-side become it.
func (p *Plan) serverSide(ctx context.Context, a *appliedObject, dry bool) (*unstructured.Unstructured, error) {
	body, err := json.Marshal(a.object.Object)
	if err != nil {
		return nil, err
	}
	options := metav1.PatchOptions{
		FieldManager: fieldManager, Force: new(p.options.ForceConflicts),
		FieldValidation: metav1.FieldValidationStrict,
	}
	if dry {
		options.DryRun = []string{metav1.DryRunAll}
	} else {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		var done context.CancelFunc
		ctx, done = outlive.WithGracePeriod(ctx, writeGrace)
		defer done()
	}
	ctx = a.object.unlogged(ctx)
	resource := p.cluster.resourceOf(a.object, a.mapping)
	got, err := resource.Patch(ctx, a.object.GetName(), types.ApplyPatchType, body, options)
	if err == nil {
		return got, nil
	}
	conflicts := conflictsOf(err)
	if len(conflicts) == 0 {
		return nil, err
	}
	ours := clientSideManagers(a.live).Insert(fieldManager)
	// Whose the mark is was judged by itself.
	others := slices.DeleteFunc(conflicts, func(c conflict) bool { return ours.Has(c.manager) || c.field == markField })
	if len(others) > 0 {
		return nil, &ownedError{where: a.where(), owned: others}
	}
	options.Force = new(true)
	return resource.Patch(ctx, a.object.GetName(), types.ApplyPatchType, body, options)
}

// markField is the consumer's mark as conflicts have it.
const markField = ".metadata.annotations." + kube.ConsumerAnnotation

// conflict is a field that another field manager owns.
type conflict struct{ manager, field string }

// conflictingManager is how the API server names the owner
// (k8s.io/apimachinery/pkg/util/managedfields/internal/conflict.go).
var conflictingManager = regexp.MustCompile(`^conflict with "([^"]+)"`)

func conflictsOf(err error) []conflict {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	var found []conflict
	for _, cause := range status.Status().Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		manager := cause.Message
		if match := conflictingManager.FindStringSubmatch(cause.Message); match != nil {
			manager = match[1]
		}
		found = append(found, conflict{manager: manager, field: cause.Field})
	}
	return found
}

// ownedError says that others own fields of an object.
type ownedError struct {
	where string
	owned []conflict
}

func (e *ownedError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: fields that the manifest sets belong to others:", e.where)
	for i, c := range e.owned {
		if i == 0 || e.owned[i-1].manager != c.manager {
			fmt.Fprintf(&text, "\n  %s:", c.manager)
		}
		text.WriteString(" " + c.field)
	}
	text.WriteString("\nleave them out of the manifest, or take them over with --force-conflicts")
	return text.String()
}

// explain says what was asked of the API server, unless the error does.
func (a *appliedObject) explain(verb string, err error) error {
	var owned *ownedError
	if err == nil || errors.As(err, &owned) {
		return err
	}
	if a.object.isSecret() {
		err = withoutValues(err)
	}
	return kube.ExplainAPI(verb+" "+a.where(), err)
}
