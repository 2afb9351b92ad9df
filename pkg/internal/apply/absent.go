package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/internal/nearest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// maxSuggested is how many workloads an error names.
const maxSuggested = 8

// inventory is what there is instead of absent workloads, listed once per
// namespace and only when something is absent.
type inventory struct {
	api   kube.API
	known map[string][]kube.Reference
}

// absent says what there is instead of a workload.
func (i *inventory) absent(ctx context.Context, t *target) error {
	wanted := fmt.Sprintf("%s: there is no %s", t.Images[0].Name, t.Ref.Where())
	there := suggestions(t.Ref, i.list(ctx, t.Ref.Namespace))
	name := t.Images[0].Name
	if len(there) == 0 {
		return fmt.Errorf("%s, and no other workload\napply its manifests: kubectl e2eimage deploy %s -f FOLDER\n"+
			"or say where it is with -n, --workload, or deploy.workloads in e2eimage.yaml", wanted, name)
	}
	return fmt.Errorf("%s; there is %s\nsay which with --workload KIND/NAME, or as deploy.workloads in e2eimage.yaml\n"+
		"or apply its manifests: kubectl e2eimage deploy %s -f FOLDER", wanted, strings.Join(there, ", "), name)
}

// list is what there is, as far as it may be seen.
func (i *inventory) list(ctx context.Context, namespace string) []kube.Reference {
	there, ok := i.known[namespace]
	if !ok {
		there = kube.List(ctx, i.api, namespace)
		if i.known == nil {
			i.known = map[string][]kube.Reference{}
		}
		i.known[namespace] = there
	}
	return there
}

// suggestions returns what could have been meant, likeliest first; where nothing
// is alike, what there is.
func suggestions(wanted kube.Reference, there []kube.Reference) []string {
	there = slices.Clone(there)
	slices.SortStableFunc(there, func(a, b kube.Reference) int { return distance(wanted, a) - distance(wanted, b) })
	alike := slices.DeleteFunc(slices.Clone(there), func(r kube.Reference) bool {
		return distance(wanted, r) >= unrelated
	})
	if len(alike) > 0 {
		there = alike
	}
	names := make([]string, 0, maxSuggested)
	for _, r := range there[:min(len(there), maxSuggested)] {
		names = append(names, r.Typed())
	}
	return names
}

// unrelated is the distance of names that have nothing in common.
const unrelated = 1000

// distance is 0 for the same name in another kind, small for names that contain
// each other or differ in few letters.
func distance(wanted, other kube.Reference) int {
	letters := nearest.Distance(wanted.Name, other.Name)
	switch {
	case letters <= max(2, len(wanted.Name)/4):
	case strings.Contains(other.Name, wanted.Name), strings.Contains(wanted.Name, other.Name):
	default:
		return unrelated
	}
	if wanted.Kind != other.Kind && letters > 0 {
		letters++
	}
	return letters
}
