// Package kindtest gives the end-to-end tests real Kind clusters, on any
// machine: it brings the engine, the node image and the cluster. It knows
// nothing about the product, never writes the user's kubeconfig, and leaves
// nothing of a cluster behind.
package kindtest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/host"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/hostengine"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/nodeimage"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/statedir"
)

// Providers that clusters can run on, beside hostengine.NewDockers.
const (
	Podman = hostengine.Podman
	Docker = hostengine.Docker
)

// ProviderUsage is what flags say of providers.
func ProviderUsage() string {
	return "engine that the cluster runs on: podman, docker, or one beside the machine's: " + strings.Join(hostengine.NewDockers(), ", ")
}

// IsNewDocker tells whether a provider is a docker beside whatever the machine has.
// Choose makes it the docker of this process.
func IsNewDocker(provider string) bool { return slices.Contains(hostengine.NewDockers(), provider) }

// Variable is an environment variable that engine and kind need.
type Variable = hostengine.Variable

// Choose returns the provider that Kind knows: a new docker is docker, once this process
// has the variables that lead to it.
func Choose(ctx context.Context, provider string, log io.Writer) (string, error) {
	if !IsNewDocker(provider) {
		return provider, nil
	}
	facts, state, err := machine()
	if err == nil {
		_, err = hostengine.Machine{State: state, Facts: facts, Log: quiet(log)}.NewDocker(ctx, provider)
	}
	return Docker, err
}

// InstallPodman brings the machine's own podman, for images.
func InstallPodman(ctx context.Context, log io.Writer) error {
	facts, state, err := machine()
	if err != nil {
		return err
	}
	return hostengine.Machine{State: state, Facts: facts, Log: quiet(log)}.InstallPodman(ctx)
}

// PodmanBeside makes the podman ready that is of the same Debian as a new docker, and
// returns the folder of its command. It has no cluster.
func PodmanBeside(ctx context.Context, provider string, log io.Writer) (string, error) {
	facts, state, err := machine()
	if err != nil {
		return "", err
	}
	return hostengine.Machine{State: state, Facts: facts, Log: quiet(log)}.PodmanBeside(ctx, provider)
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
