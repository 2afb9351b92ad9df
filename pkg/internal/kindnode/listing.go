package kindnode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
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

// psArgv asks for all containers of all Kind clusters as JSON. Docker's labels
// come as one comma-joined string unless the template picks them; podman's
// template has no machine-readable state, but its JSON does.
func psArgv(provider string) []string {
	format := "json"
	if provider == "docker" {
		format = fmt.Sprintf(`{"ID":{{json .ID}},"Name":{{json .Names}},"Cluster":{{json (.Label %q)}},"Role":{{json (.Label %q)}},"State":{{json .State}},"Image":{{json .Image}}}`,
			clusterLabel, roleLabel)
	}
	return []string{provider, "ps", "--all", "--no-trunc", "--filter", "label=" + clusterLabel, "--format", format}
}

type container struct {
	ID, Name, Cluster, Role, State, Image string
	// PID of its first process; docker ps does not tell.
	PID int
}

func parseContainers(provider string, out []byte) ([]container, error) {
	var containers []container
	if provider == "docker" {
		decoder := json.NewDecoder(bytes.NewReader(out))
		for {
			var c container
			if err := decoder.Decode(&c); errors.Is(err, io.EOF) {
				return containers, nil
			} else if err != nil {
				return nil, err
			}
			containers = append(containers, c)
		}
	}
	var listed []struct {
		ID     string `json:"Id"`
		Names  []string
		Labels map[string]string
		State  string
		Image  string
		PID    int `json:"Pid"`
	}
	if err := json.Unmarshal(out, &listed); err != nil {
		return nil, err
	}
	for _, c := range listed {
		containers = append(containers, container{
			ID: c.ID, Name: strings.Join(c.Names, ","), State: c.State, Image: c.Image, PID: c.PID,
			Cluster: c.Labels[clusterLabel], Role: c.Labels[roleLabel],
		})
	}
	return containers, nil
}
