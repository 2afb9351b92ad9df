package kindnode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

// listing is what one engine has.
type listing struct {
	provider string
	err      error
	clusters map[string][]Node
	ids      map[string]bool
}

// list asks engines for their clusters, and for all that there is to know of the named one.
func list(ctx context.Context, runner hostexec.Runner, name string, engines []string) []listing {
	listings := make([]listing, len(engines))
	var all sync.WaitGroup
	for i, provider := range engines {
		all.Go(func() { listings[i] = listOne(ctx, runner, name, provider) })
	}
	all.Wait()
	return listings
}

func listOne(ctx context.Context, runner hostexec.Runner, name, provider string) listing {
	result := listing{provider: provider, clusters: map[string][]Node{}, ids: map[string]bool{}}
	var out bytes.Buffer
	err := runner.Run(ctx, hostexec.Command{Argv: psArgv(provider), Stdout: &out})
	if err != nil {
		if !errors.Is(err, exec.ErrNotFound) {
			result.err = fmt.Errorf("%s did not answer: %w", provider, err)
		}
		return result
	}
	containers, err := parseContainers(provider, out.Bytes())
	if err == nil {
		err = checkContainers(containers)
	}
	if err != nil {
		result.err = fmt.Errorf("what %s ps printed is not understood: %w", provider, err)
		return result
	}
	for _, c := range containers {
		result.clusters[c.Cluster] = append(result.clusters[c.Cluster],
			Node{Name: c.Name, Role: c.Role, State: c.State, Image: c.Image, id: c.ID, pid: c.PID})
		result.ids[c.ID] = true
	}
	findProcesses(ctx, runner, provider, result.clusters[name])
	return result
}
