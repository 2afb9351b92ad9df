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
}

// Ensure makes the engine ready, sets the environment that it needs in this
// process (kind runs the engine's CLI as a child and has no other way to be
// told), and returns it for other processes. Calling it again is cheap and gives
// the same.
func (m Machine) Ensure(ctx context.Context, engine string) ([]Variable, error) {
	var vars []Variable
	if path, added := completePath(os.Getenv("PATH")); added && m.Facts.Root {
		vars = append(vars, Variable{"PATH", path})
	}
	if err := apply(vars); err != nil {
		return nil, err
	}
	var err error
	var more []Variable
	switch engine {
	case Podman:
		more, err = m.podman(ctx)
	case Docker:
		more, err = m.docker(ctx)
	default:
		return nil, fmt.Errorf("provider %q: must be %s or %s", engine, Podman, Docker)
	}
	if err != nil {
		return nil, fmt.Errorf("make %s ready: %w", engine, err)
	}
	vars = append(append(vars, more...), Variable{"KIND_EXPERIMENTAL_PROVIDER", engine})
	return vars, apply(vars)
}

func apply(vars []Variable) error {
	for _, v := range vars {
		if err := os.Setenv(v.Name, v.Value); err != nil {
			return fmt.Errorf("set %s: %w", v.Name, err)
		}
	}
	return nil
}
