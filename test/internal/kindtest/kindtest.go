// Package kindtest gives the end-to-end tests real Kind clusters, on any
// machine: it brings the engine, the node image and the cluster. It knows
// nothing about the product, never writes the user's kubeconfig, and leaves
// nothing of a cluster behind.
package kindtest

import (
	"context"
	"fmt"
	"io"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/host"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/hostengine"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/nodeimage"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/statedir"
)

// Providers that clusters can run on.
const (
	Podman = hostengine.Podman
	Docker = hostengine.Docker
	// DockerOfToday is a docker of today's Debian, with containerd's image store, beside
	// whatever docker the machine has. Choose makes it the docker of this process.
	DockerOfToday = "docker-today"
)

// Variable is an environment variable that engine and kind need.
type Variable = hostengine.Variable

// Choose returns the provider that Kind knows: DockerOfToday is docker, once this process
// has the variables that lead to it.
func Choose(ctx context.Context, provider string, log io.Writer) (string, error) {
	if provider != DockerOfToday {
		return provider, nil
	}
	facts, state, err := machine()
	if err == nil {
		_, err = hostengine.Machine{State: state, Facts: facts, Log: quiet(log)}.DockerOfToday(ctx)
	}
	return Docker, err
}

// Prepare makes the provider's engine ready, sets the environment that it needs
// in this process, and makes the node image. The first time can take a quarter
// of an hour; after that it takes a second.
func Prepare(ctx context.Context, provider string, log io.Writer) error {
	if _, err := Environment(ctx, provider, log); err != nil {
		return err
	}
	_, err := NodeImage(ctx, provider, log)
	return err
}

// Environment makes the provider's engine ready and returns the variables that
// other processes need to use it. They are set in this process, too.
func Environment(ctx context.Context, provider string, log io.Writer) ([]Variable, error) {
	facts, state, err := machine()
	if err != nil {
		return nil, err
	}
	return hostengine.Machine{State: state, Facts: facts, Log: quiet(log)}.Ensure(ctx, provider)
}

// NodeImage makes the node image in the engine, whose environment must be set.
func NodeImage(ctx context.Context, provider string, log io.Writer) (nodeimage.Image, error) {
	facts, state, err := machine()
	if err != nil {
		return nodeimage.Image{}, err
	}
	return nodeimage.Builder{State: state, Facts: facts, Log: quiet(log)}.Resolve(ctx, provider)
}

func machine() (host.Facts, string, error) {
	facts, err := host.Look()
	if err != nil {
		return facts, "", fmt.Errorf("look at this machine: %w", err)
	}
	state, err := statedir.Dir()
	return facts, state, err
}

func quiet(log io.Writer) io.Writer {
	if log == nil {
		return io.Discard
	}
	return log
}
