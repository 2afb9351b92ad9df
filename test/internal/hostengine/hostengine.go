// Package hostengine makes podman or docker usable for kind on this machine:
// installs what is missing, and where root lacks CAP_SYS_RESOURCE puts an own
// configuration or an own Docker daemon beside the machine's. It changes nothing
// under /etc, and knows nothing about clusters or images.
package hostengine

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/host"
)

// Engines that kind can run on and the tests use.
const (
	Podman = "podman"
	Docker = "docker"
)

// Variable is an environment variable that engine and kind need.
type Variable struct{ Name, Value string }

// Machine is where the engine runs.
type Machine struct {
	// State is the folder for configuration, sockets and data.
	State string
	Facts host.Facts
	Log   io.Writer
	// Getenv reads the caller's environment.
	Getenv func(string) string
}

// Ensure makes the engine ready and says which environment it needs, in the
// order of printing. Calling it again is cheap and gives the same.
func (m Machine) Ensure(ctx context.Context, engine string) ([]Variable, error) {
	var vars []Variable
	var err error
	switch engine {
	case Podman:
		vars, err = m.podman(ctx)
	case Docker:
		vars, err = m.docker(ctx)
	default:
		return nil, fmt.Errorf("provider %q: must be %s or %s", engine, Podman, Docker)
	}
	if err != nil {
		return nil, fmt.Errorf("make %s ready: %w", engine, err)
	}
	return append(vars, Variable{"KIND_EXPERIMENTAL_PROVIDER", engine}), nil
}

// Apply sets the variables in this process: kind runs the engine's CLI as a
// child and has no other way to be told.
func Apply(vars []Variable) error {
	for _, v := range vars {
		if err := os.Setenv(v.Name, v.Value); err != nil {
			return fmt.Errorf("set %s: %w", v.Name, err)
		}
	}
	return nil
}
