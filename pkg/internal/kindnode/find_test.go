package kindnode

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

// engines answers `ps` per provider: what it prints, or how it fails.
type engines map[string]any

func (e engines) Run(_ context.Context, command hostexec.Command) error {
	switch answer := e[command.Argv[0]].(type) {
	case string:
		_, err := io.WriteString(command.Stdout, answer)
		return err
	case error:
		return answer
	}
	return &hostexec.CommandError{Argv: command.Argv, Err: exec.ErrNotFound}
}

const (
	dockerDev = `{"ID":"d1","Name":"dev-control-plane","Cluster":"dev","Role":"control-plane","State":"running"}
{"ID":"d2","Name":"dev-worker","Cluster":"dev","Role":"worker","State":"running"}
{"ID":"d3","Name":"dev-external-load-balancer","Cluster":"dev","Role":"external-load-balancer","State":"running"}
`
	podmanDev = `[{"Id":"p1","Names":["dev-control-plane"],"State":"running","Labels":{"io.x-k8s.kind.cluster":"dev","io.x-k8s.kind.role":"control-plane"}}]`
)

func TestFind(t *testing.T) {
	t.Parallel()
	daemonDown := &hostexec.CommandError{Argv: []string{"docker", "ps"}, Stderr: "Cannot connect to the Docker daemon", Err: errors.New("exit status 1")}
	tests := map[string]struct {
		engines  engines
		query    Query
		provider string
		nodes    string
		says     []string
	}{
		"the load balancer is no node": {
			engines: engines{"docker": dockerDev}, query: Query{Name: "dev"},
			provider: "docker", nodes: "dev-control-plane dev-worker",
		},
		"podman alone has it": {
			engines: engines{"docker": "", "podman": podmanDev}, query: Query{Name: "dev"},
			provider: "podman", nodes: "dev-control-plane",
		},
		"docker's daemon is down and podman has it": {
			engines: engines{"docker": daemonDown, "podman": podmanDev}, query: Query{Name: "dev"},
			provider: "podman", nodes: "dev-control-plane",
		},
		"twins need a provider": {
			engines: engines{"docker": dockerDev, "podman": podmanDev}, query: Query{Name: "dev"},
			says: []string{"docker and podman each have", "--provider"},
		},
		"of twins the asked one is taken": {
			engines: engines{"docker": dockerDev, "podman": podmanDev}, query: Query{Name: "dev", Provider: "podman"},
			provider: "podman", nodes: "dev-control-plane",
		},
		"of twins kind's own variable decides": {
			engines: engines{"docker": dockerDev, "podman": podmanDev}, query: Query{Name: "dev", Hint: "docker"},
			provider: "docker", nodes: "dev-control-plane dev-worker",
		},
		"of twins podman is taken where kind's own variable says so": {
			engines: engines{"docker": dockerDev, "podman": podmanDev}, query: Query{Name: "dev", Hint: "podman"},
			provider: "podman", nodes: "dev-control-plane",
		},
		"kind's own variable is wrong": {
			engines: engines{"docker": dockerDev, "podman": "[]"}, query: Query{Name: "dev", Hint: "podman"},
			provider: "docker", nodes: "dev-control-plane dev-worker",
		},
		"a docker that is podman in disguise is no twin": {
			engines: engines{"docker": strings.ReplaceAll(dockerDev, `"d1"`, `"p1"`), "podman": podmanDev}, query: Query{Name: "dev"},
			provider: "podman", nodes: "dev-control-plane",
		},
		"an unknown cluster: those that exist are named": {
			engines: engines{"docker": dockerDev, "podman": podmanDev}, query: Query{Name: "prod"},
			says: []string{`no Kind cluster "prod"`, "dev (docker), dev (podman)", "--kind-cluster"},
		},
		"nothing found and a daemon down: both are said": {
			engines: engines{"docker": daemonDown, "podman": "[]"}, query: Query{Name: "dev"},
			says: []string{`no Kind cluster "dev"`, "docker did not answer", "Cannot connect", "kind create cluster"},
		},
		"a stopped node is named with the command that starts it": {
			engines: engines{"docker": strings.Replace(dockerDev, "running", "exited", 1)}, query: Query{Name: "dev"},
			says: []string{"dev-control-plane is exited", "docker start"},
		},
		"an answer with a warning before it": {
			engines: engines{"docker": "WARNING: it is old\n" + dockerDev}, query: Query{Name: "dev"},
			says: []string{"what docker ps printed is not understood"},
		},
		"an answer that is cut off": {
			engines: engines{"podman": podmanDev[:len(podmanDev)/2]}, query: Query{Name: "dev"},
			says: []string{"what podman ps printed is not understood"},
		},
		"an answer of another shape": {
			engines: engines{"docker": `{"id":"d1","names":"dev-control-plane"}`, "podman": podmanDev}, query: Query{Name: "dev", Provider: "docker"},
			says: []string{"what docker ps printed is not understood"},
		},
		"an answer without IDs is no twin's": {
			engines: engines{"docker": strings.ReplaceAll(dockerDev, `"d1"`, `""`), "podman": podmanDev}, query: Query{Name: "dev"},
			provider: "podman", nodes: "dev-control-plane",
		},
		"an answer of nothing": {
			engines: engines{"podman": ""}, query: Query{Name: "dev"},
			says: []string{"what podman ps printed is not understood"},
		},
		"an unknown provider": {
			query: Query{Name: "dev", Provider: "lxc"}, says: []string{`unknown provider "lxc"`, "docker, podman"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster, err := Find(t.Context(), test.engines, test.query)
			if test.says != nil {
				if err == nil {
					t.Fatal("no error")
				}
				for _, words := range test.says {
					if !strings.Contains(err.Error(), words) {
						t.Errorf("the error does not say %q:\n%v", words, err)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(cluster.Names(), " "); cluster.Provider != test.provider || got != test.nodes {
				t.Errorf("found %s: %s, want %s: %s", cluster.Provider, got, test.provider, test.nodes)
			}
		})
	}
}
