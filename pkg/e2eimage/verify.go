package e2eimage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/apply"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/rollout"
)

// VerifyInput is what Verify needs.
type VerifyInput struct {
	// Suite as Status has it.
	Suite config.Suite
	// Wait waits for the rollouts of the suite's workloads first, and fails as
	// Deploy does as soon as one is hopeless. Nothing is changed.
	Wait bool
	// Timeout of each rollout that is waited for; 0: that of the suite.
	Timeout time.Duration
	// AllNamespaces as Status has it.
	AllNamespaces bool
}

// DisagreementError is what Verify found, in an InconsistentError.
type DisagreementError struct {
	// Images that do not agree, with their problems.
	Images []ImageStatus
	// Mend as StatusResult has it.
	Mend []string
	// Of is how many images were looked at.
	Of int
}

// Summary says in a line how many do not agree.
func (e *DisagreementError) Summary() string {
	switch {
	case e.Of == 1:
		return "the image does not agree with its record"
	case len(e.Images) == 1:
		return fmt.Sprintf("1 of %d images does not agree with its record", e.Of)
	}
	return fmt.Sprintf("%d of %d images do not agree with their records", len(e.Images), e.Of)
}

// Error says all problems and what mends them.
func (e *DisagreementError) Error() string {
	text := e.Summary()
	for _, image := range e.Images {
		for _, problem := range image.Explain() {
			text += "\n" + problem
		}
	}
	for _, command := range e.Mend {
		text += "\nmend it: " + command
	}
	return text
}

// Verify is Status as a gate: the result has all images, and what does not agree comes with
// an InconsistentError, which wraps a *DisagreementError.
func (c *Client) Verify(ctx context.Context, in VerifyInput) (*StatusResult, error) {
	return verb(ctx, in, c.verify)
}

func (c *Client) verify(ctx context.Context, in VerifyInput) (*StatusResult, error) {
	look := StatusInput{Suite: in.Suite, AllNamespaces: in.AllNamespaces}
	result, err := c.compareAll(ctx, look, true)
	if err == nil && in.Wait {
		if err = c.waitFor(ctx, in, result); err == nil {
			result, err = c.compareAll(ctx, look, true)
		}
	}
	if err != nil {
		return nil, err
	}
	if len(result.Images) == 0 {
		return result, &InconsistentError{noneRecorded(in, result.Namespace)}
	}
	wrong := slices.DeleteFunc(slices.Clone(result.Images), func(image ImageStatus) bool {
		return image.State == StateConsistent
	})
	if len(wrong) == 0 {
		return result, nil
	}
	return result, &InconsistentError{&DisagreementError{Images: wrong, Mend: result.Mend, Of: len(result.Images)}}
}

// noneRecorded says that there is nothing to be verified.
func noneRecorded(in VerifyInput, namespace string) error {
	none := &Error{Code: CodeNotRecorded, Namespace: namespace}
	switch {
	case !in.AllNamespaces:
		none.Fix = "look elsewhere with -n, or record something: kubectl e2eimage tag --help"
		return none.says("nothing is recorded in namespace %q", namespace)
	case len(in.Suite.Images) > 0:
		none.Image = onlyOf(recordedNames(in.Suite))
		none.Fix = "see what there is: " + typed("status", "-A", in.Suite)
		return none.says("no record of %s in any namespace", strings.Join(recordedNames(in.Suite), ", "))
	}
	none.Fix = "record something: kubectl e2eimage tag --help"
	return none.says("nothing is recorded in any namespace")
}

// waitFor waits for the rollouts of the workloads that use the images, which others
// began, such as Helm, and proves what runs. Each record's are waited for in turn.
func (c *Client) waitFor(ctx context.Context, in VerifyInput, seen *StatusResult) error {
	byRecord := map[string]config.Suite{}
	for _, image := range seen.Images {
		if len(image.Workloads) == 0 || image.State == StateTampered || image.State == StateUnfinished {
			// There is nothing to wait for, or nothing to compare it with.
			continue
		}
		record := image.Namespace + "/" + image.Consumer
		one, ok := byRecord[record]
		if !ok {
			one = in.Suite
			one.Namespace, one.Consumer, one.Images = image.Namespace, image.Consumer, nil
		}
		one.Images = append(one.Images, waitedFor(in, image))
		byRecord[record] = one
	}
	kube, err := c.kube(in.Suite)
	if err != nil {
		return err
	}
	left := in.Suite.WaitFor
	for _, record := range sortedKeys(byRecord) {
		one := byRecord[record]
		if one.WaitFor = nil; one.Namespace == kube.namespace {
			// Beside each other: one may be what another one waits for.
			one.WaitFor, left = left, nil
		}
		if err := c.waitOnly(ctx, one, in.Timeout); err != nil {
			return err
		}
	}
	if len(left) == 0 {
		return nil
	}
	others, err := kube.others(ctx, in.Suite, in.Timeout, nil)
	if err != nil {
		return err
	}
	return rollout.New(kube, others).Wait(ctx, c.report)
}

// waitedFor is an image with the workloads that use it.
func waitedFor(in VerifyInput, seen ImageStatus) config.Image {
	image := config.Image{Name: seen.Name, Deploy: config.Deploy{
		Timeout: config.DefaultTimeout, MaxRestarts: config.DefaultMaxRestarts,
	}}
	for _, asked := range in.Suite.Images {
		if asked.Name == seen.Name {
			image = asked
		}
	}
	var workloads []string
	for _, used := range seen.Workloads {
		text := kindless(used.Name)
		if used.Namespace != "" {
			text = used.Namespace + "/" + text
		}
		workloads = append(workloads, text)
	}
	// Each has its own containers, and may have been deployed by others, to whom the
	// suite's wishes mean nothing.
	image.Deploy.Workloads, image.Deploy.Containers, image.Deploy.PullPolicy = workloads, nil, ""
	if in.Timeout > 0 {
		image.Deploy.Timeout = in.Timeout
	}
	return image
}

// waitOnly waits for rollouts and changes nothing.
func (c *Client) waitOnly(ctx context.Context, suite config.Suite, timeout time.Duration) error {
	run, err := c.beginDeploy(ctx, DeployInput{Suite: suite, DryRun: DryRunClient, AllowStale: true})
	if err != nil {
		return err
	}
	defer run.place.Close()
	run.freshBuilt = true
	if err := run.look(ctx); err != nil {
		return err
	}
	plan, err := apply.Prepare(ctx, run.kube, apply.Options{
		Namespace: run.kube.namespace, Consumer: run.consumer, TakeOver: true, WaitOnly: true, Alive: run.kube.alive,
	}, run.images())
	if err != nil {
		return err
	}
	targets := plan.Targets()
	others, err := run.kube.others(ctx, suite, timeout, targets)
	switch {
	case err != nil:
		return err
	case len(targets) == 0:
		return run.wait(ctx, rollout.New(run.kube, others))
	}
	_, err = run.waitAndProve(ctx, rollout.New(run.kube, append(targets, others...)))
	return err
}
