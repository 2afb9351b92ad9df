package kindtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/hostengine"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/mounts"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/nodeimage"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/statedir"
)

// Down stops what was started here: an own Docker daemon, with the clusters on
// it. With purge the built node images and all that is kept goes, too. Packages
// that were installed stay, and so do clusters on the machine's own engines.
func Down(ctx context.Context, purge bool, log io.Writer) error {
	facts, state, err := machine()
	if err != nil {
		return err
	}
	m := hostengine.Machine{State: state, Facts: facts, Log: quiet(log)}
	if err := m.Down(ctx, purge); err != nil {
		return err
	}
	if !purge {
		return nil
	}
	unlock, err := statedir.Lock(ctx, state, "node-image", m.Log)
	if err != nil {
		return err
	}
	defer unlock()
	var errs []error
	for _, engine := range []string{Podman, Docker} {
		errs = append(errs, removeNodeImages(ctx, engine))
	}
	return errors.Join(append(errs, mounts.RemoveAll(state))...)
}

// removeNodeImages removes them from the machine's own engine, if there is one.
func removeNodeImages(ctx context.Context, engine string) error {
	if _, err := exec.LookPath(engine); err != nil {
		return nil
	}
	list, err := command.Output(ctx, engine, "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference="+nodeimage.Repository)
	if err != nil {
		// Mostly no daemon; what cannot be asked has nothing of ours.
		return nil
	}
	var errs []error
	for _, image := range strings.Fields(list) {
		if err := command.Run(ctx, engine, "image", "rm", image); err != nil {
			errs = append(errs, fmt.Errorf("a cluster still uses the node image, delete it first: %w", err))
		}
	}
	return errors.Join(errs...)
}
