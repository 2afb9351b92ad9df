package e2eimage

import (
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// Choices become the Input of a Client's method here, and nowhere else.

// limit is the time that a verb has: as chosen, else its default.
func limit(chosen *time.Duration, otherwise time.Duration) time.Duration {
	if chosen != nil {
		return *chosen
	}
	return otherwise
}

// dry tells whether nothing is to be changed.
func (c Choices) dry() bool { return c.DryRun != "" && c.DryRun != DryRunNone }

func (c Choices) upInput(suite config.Suite, manifests []Manifest) UpInput {
	return UpInput{
		Suite: suite, SkipBuild: c.SkipBuild, Parallel: c.Parallel,
		BuildTimeout: limit(c.BuildTimeout, DefaultBuildTimeout), Use: c.Prefer, AllowStale: c.AllowStale,
		TakeOver: c.TakeOver, Replace: c.Replace, Manifests: manifests, ForceConflicts: c.ForceConflicts,
		CreateNamespace: c.CreateNamespace, DryRun: c.dry(),
	}
}

func (c Choices) buildInput(suite config.Suite) BuildInput {
	return BuildInput{
		Suite: suite, New: c.NewTag, Flags: c.EngineFlags, Parallel: c.Parallel,
		Timeout: limit(c.Timeout, DefaultBuildTimeout), DryRun: c.dry(),
	}
}

func (c Choices) loadInput(suite config.Suite) LoadInput {
	return LoadInput{Suite: suite, Stdin: c.Stdin, Nodes: c.Nodes, Release: c.Release, DryRun: c.dry()}
}

func (c Choices) tagInput(suite config.Suite) TagInput {
	return TagInput{
		Suite: suite, New: c.NewTag, Use: c.Prefer, AllowStale: c.AllowStale, CreateNamespace: c.CreateNamespace,
		DryRun: c.dry(),
	}
}

func (c Choices) deployInput(suite config.Suite, manifests []Manifest) DeployInput {
	return DeployInput{
		Suite: suite, Manifests: manifests, ForceConflicts: c.ForceConflicts, TakeOver: c.TakeOver, Replace: c.Replace,
		Use: c.Prefer, AllowStale: c.AllowStale, DryRun: c.DryRun, NoWait: c.NoWait,
	}
}

func (c Choices) verifyInput(suite config.Suite) VerifyInput {
	return VerifyInput{Suite: suite, Wait: c.Wait, Timeout: limit(c.Timeout, 0)}
}

func (c Choices) cleanInput(suite config.Suite) CleanInput {
	return CleanInput{
		Suite: suite, Scope: c.Scope, All: len(c.Only) == 0, IgnoreNotFound: true, Force: c.Force,
	}
}
