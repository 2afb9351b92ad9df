package kindtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kind/pkg/cluster"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
)

// Delete removes a cluster with its volumes. One that does not exist is no
// error. Kubeconfig files stay as they are.
func Delete(ctx context.Context, name, provider string) error {
	if name == "" {
		return errors.New("delete cluster: it needs a name")
	}
	if _, err := Environment(ctx, provider, nil); err != nil {
		return err
	}
	p, err := newProvider(provider, nil)
	if err != nil {
		return err
	}
	// kind also takes the cluster out of a kubeconfig, by default the
	// user's: give it an empty one.
	scratch, err := os.MkdirTemp("", "e2eimage-kubeconfig-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	if err := kill(ctx, p, name, provider); err != nil {
		return err
	}
	// kind takes no context, and half a removal is worse than a late one.
	if err := p.Delete(name, filepath.Join(scratch, "config")); err != nil {
		return fmt.Errorf("delete cluster %s on %s: %w", name, provider, explain(err))
	}
	return nil
}

// kill ends the nodes on podman, whose forced removal would first wait ten
// seconds for systemd to shut down in order.
func kill(ctx context.Context, p *cluster.Provider, name, provider string) error {
	if provider != Podman {
		return nil
	}
	nodes, err := p.ListNodes(name)
	if err != nil {
		return fmt.Errorf("list the nodes of cluster %s: %w", name, explain(err))
	}
	if len(nodes) == 0 {
		return nil
	}
	argv := []string{Podman, "kill", "--signal", "KILL"}
	for _, node := range nodes {
		argv = append(argv, node.String())
	}
	// A node that has ended already is none to kill; what matters is the
	// removal, which reports its own errors.
	_ = command.Run(ctx, argv...)
	return nil
}

// removeVolumes removes the volumes of nodes that podman did not start: kind
// makes them before the nodes and finds them only through the nodes.
func removeVolumes(ctx context.Context, o Options) error {
	if o.Provider != Podman {
		return nil
	}
	var errs []error
	for _, node := range nodeNames(o) {
		list, err := command.Output(ctx, Podman, "volume", "ls", "--quiet", "--filter", "label="+node)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if volumes := strings.Fields(list); len(volumes) > 0 {
			errs = append(errs, command.Run(ctx, append([]string{Podman, "volume", "rm"}, volumes...)...))
		}
	}
	return errors.Join(errs...)
}

// nodeNames are the names that kind gives to the nodes, which are also the
// labels of their volumes.
func nodeNames(o Options) []string {
	var names []string
	for role, count := range map[string]int{"control-plane": max(o.ControlPlanes, 1), "worker": o.Workers} {
		for i := range count {
			name := o.Name + "-" + role
			if i > 0 {
				name = fmt.Sprintf("%s%d", name, i+1)
			}
			names = append(names, name)
		}
	}
	return names
}

// Exists says whether the provider has nodes of the cluster. The provider's
// environment must be set.
func Exists(name, provider string) (bool, error) {
	p, err := newProvider(provider, nil)
	if err != nil {
		return false, err
	}
	nodes, err := p.ListNodes(name)
	return len(nodes) > 0, err
}

func newProvider(name string, log io.Writer) (*cluster.Provider, error) {
	logger := cluster.ProviderWithLogger(logger{quiet(log)})
	switch name {
	case Podman:
		return cluster.NewProvider(cluster.ProviderWithPodman(), logger), nil
	case Docker:
		return cluster.NewProvider(cluster.ProviderWithDocker(), logger), nil
	}
	return nil, fmt.Errorf("provider %q: must be %s or %s", name, Podman, Docker)
}
