package kindnode

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/kind/pkg/cluster/constants"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

// The labels with which kind marks its containers, equal for all its providers
// (sigs.k8s.io/kind/pkg/cluster/internal/providers/*/constants.go).
//
// The containers are listed here, and not by kind's cluster.Provider.ListInternalNodes
// (v0.33): that returns names only and runs the engine once more for each node's role, where
// one ps tells role, state and image as well; it cannot be ended by a context, and asks one
// engine, which has to be known before. Of kind, the product uses the roles' names.
const (
	clusterLabel = "io.x-k8s.kind.cluster"
	roleLabel    = "io.x-k8s.kind.role"
)

// Providers are the engines on which a Kind cluster can run, in the order in
// which kind itself looks for them.
var providers = []string{"docker", podman}

const podman = "podman"

// Query says which cluster is wanted.
type Query struct {
	// Name of the Kind cluster.
	Name string
	// Provider is docker, podman or "" for whichever has the cluster.
	Provider string
	// Hint decides, as KIND_EXPERIMENTAL_PROVIDER does, when Provider is empty
	// and both engines have a cluster of that name.
	Hint string
}

// NotFoundError says that no engine has the cluster, and what they have.
type NotFoundError struct {
	Query    Query
	Existing []string
	Engines  []error
}

func (e *NotFoundError) Error() string {
	message := fmt.Sprintf("no Kind cluster %q", e.Query.Name)
	if e.Query.Provider != "" {
		message += " under " + e.Query.Provider
	}
	if len(e.Existing) > 0 {
		message += "; there are: " + strings.Join(e.Existing, ", ")
	} else {
		message += "; no Kind cluster was found"
	}
	for _, err := range e.Engines {
		message += "\n  " + err.Error()
	}
	if len(e.Existing) > 0 {
		return message + "\nchoose one with --kind-cluster (and --provider), or change the kube context"
	}
	return message + fmt.Sprintf("\ncreate it with: kind create cluster --name %s", e.Query.Name)
}

// AmbiguousError says that several engines have a cluster of that name.
type AmbiguousError struct {
	Name      string
	Providers []string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%s each have a Kind cluster %q; say which with --provider",
		strings.Join(e.Providers, " and "), e.Name)
}

// Find looks for the cluster on the engines of this host: one `ps` per engine.
// Errors: *NotFoundError, *AmbiguousError, or nodes that are not running.
func Find(ctx context.Context, runner hostexec.Runner, query Query) (*Cluster, error) {
	wanted := providers
	if query.Provider != "" {
		if !slices.Contains(providers, query.Provider) {
			return nil, fmt.Errorf("unknown provider %q; known are %s", query.Provider, strings.Join(providers, ", "))
		}
		wanted = []string{query.Provider}
	}
	found, err := choose(query, ask(ctx, runner, query, wanted))
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	cluster := &Cluster{Name: query.Name, Provider: found.provider, runner: runner}
	for _, node := range found.clusters[query.Name] {
		switch node.Role {
		case constants.ControlPlaneNodeRoleValue, constants.WorkerNodeRoleValue:
			cluster.Nodes = append(cluster.Nodes, node)
		}
	}
	slices.SortFunc(cluster.Nodes, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
	if err := cluster.checkRunning(); err != nil {
		return nil, err
	}
	return cluster, nil
}

// ask lists the clusters of the wanted engines. Where the hint is podman and podman has the
// cluster, it decides, and docker need not be asked. Not so the other way round: docker
// may be podman in disguise.
func ask(ctx context.Context, runner hostexec.Runner, query Query, wanted []string) []listing {
	if query.Hint != podman || !slices.Contains(wanted, podman) {
		return list(ctx, runner, query.Name, wanted)
	}
	hinted := list(ctx, runner, query.Name, []string{podman})
	if _, has := hinted[0].clusters[query.Name]; has {
		return hinted
	}
	return append(list(ctx, runner, query.Name, slices.DeleteFunc(slices.Clone(wanted), func(p string) bool {
		return p == podman
	})), hinted...)
}

func choose(query Query, listings []listing) (listing, error) {
	var having []listing
	failed := &NotFoundError{Query: query}
	for _, l := range listings {
		if l.err != nil {
			failed.Engines = append(failed.Engines, l.err)
		}
		for name := range l.clusters {
			failed.Existing = append(failed.Existing, fmt.Sprintf("%s (%s)", name, l.provider))
		}
		if _, ok := l.clusters[query.Name]; ok {
			having = append(having, l)
		}
	}
	slices.Sort(failed.Existing)
	switch len(having) {
	case 0:
		return listing{}, failed
	case 1:
		return having[0], nil
	}
	if sameContainers(having[0], having[1]) {
		// A `docker` command that is podman in disguise shows podman's own
		// containers a second time.
		return having[1], nil
	}
	names := make([]string, 0, len(having))
	for _, l := range having {
		if l.provider == query.Hint {
			return l, nil
		}
		names = append(names, l.provider)
	}
	return listing{}, &AmbiguousError{Name: query.Name, Providers: names}
}

func sameContainers(a, b listing) bool {
	for id := range a.ids {
		for other := range b.ids {
			if strings.HasPrefix(id, other) || strings.HasPrefix(other, id) {
				return true
			}
		}
	}
	return false
}
