package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/workload"
)

// VerifyInput is what Verify needs.
type VerifyInput struct {
	// Suite as Status has it.
	Suite config.Suite
	// Wait waits for the rollouts of the suite's workloads first, and fails as
	// Deploy does as soon as one is hopeless. Nothing is changed.
	Wait bool
}

// Verify is Status as a gate: what does not agree comes with an InconsistentError.
func (c *Client) Verify(ctx context.Context, in VerifyInput) (*StatusResult, error) {
	if in.Wait {
		if err := c.waitOnly(ctx, in.Suite); err != nil {
			return nil, err
		}
	}
	result, err := c.Status(ctx, StatusInput{Suite: in.Suite})
	if err != nil {
		return nil, err
	}
	if len(result.Images) == 0 {
		return result, &InconsistentError{fmt.Errorf("nothing is recorded in namespace %q\nlook elsewhere with -n, or record something: kubectl e2eimage tag --help", result.Namespace)}
	}
	result.Images = slices.DeleteFunc(result.Images, func(image ImageStatus) bool { return image.State == StateConsistent })
	if len(result.Images) == 0 {
		return result, nil
	}
	return result, &InconsistentError{fmt.Errorf("%d of what was looked at does not agree", len(result.Images))}
}

// waitOnly waits for rollouts that others began, such as Helm, and proves what runs.
func (c *Client) waitOnly(ctx context.Context, suite config.Suite) error {
	if len(suite.Images) == 0 {
		return &UsageError{errors.New("wait for what? Give the NAME, or write an e2eimage.yaml")}
	}
	run, err := c.beginDeploy(ctx, DeployInput{Suite: suite, DryRun: DryRunClient, AllowStale: true})
	if err != nil {
		return err
	}
	defer run.cluster.Close()
	run.freshBuilt = true
	if err := run.look(ctx); err != nil {
		return err
	}
	plan, err := workload.Prepare(ctx, run.kube, workload.Options{
		Namespace: run.kube.namespace, Consumer: run.consumer, TakeOver: true, WaitOnly: true, Alive: run.kube.alive,
	}, run.images())
	if err != nil {
		return classifyWorkload(err)
	}
	if !plan.Right() {
		// What is to run something else would be waited for in vain.
		return nil
	}
	if err := run.wait(ctx, plan); err != nil {
		return err
	}
	_, err = run.prove(ctx, plan.Running())
	return err
}
