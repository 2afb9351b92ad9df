package kindtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"sigs.k8s.io/kind/pkg/cluster"
)

// Options describe a cluster.
type Options struct {
	Name string
	// Workers may be 0; ControlPlanes is 1 if zero.
	Workers, ControlPlanes int
	// Provider is Podman or Docker.
	Provider string
	// Kubeconfig is the file to write. There is no default: the user's own
	// must not be touched.
	Kubeconfig string
	// Wait for all nodes to be ready, this long; 0 does not wait.
	Wait time.Duration
	// Log gets the progress; nil is silent.
	Log io.Writer
}

const (
	// cleanupLimit bounds the removal of a cluster that was not finished,
	// which must go on when the caller's context is cancelled.
	cleanupLimit = 2 * time.Minute
	// cleanupEvery is the pause between two removals while kind, which
	// takes no context, still works on creating.
	cleanupEvery = time.Second
)

// validate reports all that is wrong with the options.
func (o Options) validate() error {
	var errs []error
	if o.Name == "" {
		errs = append(errs, errors.New("the cluster needs a name"))
	}
	if o.Provider != Podman && o.Provider != Docker {
		errs = append(errs, fmt.Errorf("provider %q: must be %s or %s", o.Provider, Podman, Docker))
	}
	if o.Kubeconfig == "" {
		errs = append(errs, errors.New("say which kubeconfig file to write: the user's own is never touched"))
	}
	if o.Workers < 0 || o.ControlPlanes < 0 {
		errs = append(errs, errors.New("the number of nodes is negative"))
	}
	return errors.Join(errs...)
}

// Create makes a cluster and writes its kubeconfig. It prepares the machine
// first. A cluster that fails or is cancelled is removed again.
func Create(ctx context.Context, o Options) error {
	if err := o.validate(); err != nil {
		return err
	}
	kubeconfig, err := filepath.Abs(o.Kubeconfig)
	if err != nil {
		return err
	}
	// kind writes the file at the very end; a place that cannot be written to
	// should not take that long to be found out.
	if err := os.MkdirAll(filepath.Dir(kubeconfig), 0o755); err != nil {
		return fmt.Errorf("folder of the kubeconfig: %w", err)
	}
	if _, err := Environment(ctx, o.Provider, o.Log); err != nil {
		return err
	}
	image, err := NodeImage(ctx, o.Provider, o.Log)
	if err != nil {
		return err
	}
	facts, _, err := machine()
	if err != nil {
		return err
	}
	provider, err := newProvider(o.Provider, o.Log)
	if err != nil {
		return err
	}
	present, err := provider.ListNodes(o.Name)
	if err != nil {
		return fmt.Errorf("look for a cluster %s: %w", o.Name, err)
	}
	if len(present) > 0 {
		// Not ours to remove.
		return fmt.Errorf("there is a cluster %s on %s already: delete it or take another name", o.Name, o.Provider)
	}
	if err := roomForNodes(o.Workers+max(1, o.ControlPlanes), quiet(o.Log)); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		done <- provider.Create(o.Name,
			cluster.CreateWithV1Alpha4Config(config(o, image, facts)),
			cluster.CreateWithNodeImage(image.Reference),
			cluster.CreateWithKubeconfigPath(kubeconfig),
			cluster.CreateWithWaitForReady(o.Wait),
			cluster.CreateWithDisplayUsage(false),
			cluster.CreateWithDisplaySalutation(false),
		)
	}()
	select {
	case err = <-done:
		if err == nil && o.Wait > 0 {
			err = waitForNodes(ctx, provider, o.Name, o.Wait)
		}
		if err == nil {
			return nil
		}
		err = fmt.Errorf("create cluster %s: %w", o.Name, explain(err))
	case <-ctx.Done():
		err = fmt.Errorf("create cluster %s: %w", o.Name, context.Cause(ctx))
		err = errors.Join(err, removeUnfinished(provider, o, kubeconfig, done))
	}
	// kind removes what it failed to make, but not what it had just started
	// when its own listing came, and not the volumes of such nodes.
	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupLimit)
	defer cancel()
	return errors.Join(err, Delete(cleanup, o.Name, o.Provider), removeVolumes(cleanup, o))
}

// removeUnfinished takes the nodes away under kind's hands until it gives up.
func removeUnfinished(p *cluster.Provider, o Options, kubeconfig string, done <-chan error) error {
	limit := time.NewTimer(cleanupLimit)
	defer limit.Stop()
	tick := time.NewTicker(cleanupEvery)
	defer tick.Stop()
	for {
		err := p.Delete(o.Name, kubeconfig)
		select {
		case <-done:
			return p.Delete(o.Name, kubeconfig)
		case <-limit.C:
			return errors.Join(fmt.Errorf("cluster %s could not be removed within %s", o.Name, cleanupLimit), err)
		case <-tick.C:
		}
	}
}
