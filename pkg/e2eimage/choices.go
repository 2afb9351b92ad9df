package e2eimage

import (
	"errors"
	"io"
	"slices"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// Choices are what the options of a call say. They are for what stands between a test and a
// Suite, such as package e2eimagetest; the fields are called as the options are.
type Choices struct {
	Only                   []string
	Apply                  []string
	Recursive              bool
	Kustomize              string
	Manifests              []Manifest
	ForceConflicts         bool
	Timeout, BuildTimeout  *time.Duration
	Prebuilt               config.Prebuilt
	Parallel               int
	EngineFlags            []string
	SkipBuild, NewTag      bool
	Prefer                 Use
	AllowStale             bool
	CreateNamespace        bool
	TakeOver, Replace      bool
	NoWait, Wait           bool
	Nodes                  []string
	Release                bool
	Stdin                  io.Reader
	DryRun                 DryRun
	RemoveWorkloads, Force bool
	Scope                  Scope
	Diagnostics            string
}

// Verb is a method of a Suite.
type Verb string

// The methods of a Suite.
const (
	VerbUp     Verb = "Up"
	VerbBuild  Verb = "Build"
	VerbLoad   Verb = "Load"
	VerbTag    Verb = "Tag"
	VerbDeploy Verb = "Deploy"
	VerbImages Verb = "Images"
	VerbRender Verb = "Render"
	VerbVerify Verb = "Verify"
	VerbStatus Verb = "Status"
	VerbDown   Verb = "Down"
	// VerbDiagnose is Diagnose.
	VerbDiagnose Verb = "Diagnose"
)

// uses are the options that a verb has a use for, besides Only.
func (v Verb) uses() []string {
	manifests := []string{"Apply", "Recursive", "Kustomize", "Manifests"}
	rollout := append([]string{"ForceConflicts", "WithTimeout", "TakeOver", "Replace", "AllowStale", "Prefer"},
		manifests...)
	switch v {
	case VerbUp:
		return append(rollout, "Diagnostics", "WithBuildTimeout", "WithPrebuilt", "Parallel", "SkipBuild",
			"CreateNamespace", "WithDryRun")
	case VerbBuild:
		return []string{"WithTimeout", "WithPrebuilt", "Parallel", "EngineFlags", "NewTag", "WithDryRun"}
	case VerbLoad:
		return []string{"WithTimeout", "WithPrebuilt", "Nodes", "Release", "Stdin", "WithDryRun"}
	case VerbTag:
		return []string{"WithTimeout", "NewTag", "AllowStale", "Prefer", "CreateNamespace", "WithDryRun"}
	case VerbDeploy:
		return append(rollout, "Diagnostics", "NoWait", "WithDryRun")
	case VerbImages:
		return []string{"Prefer"}
	case VerbRender:
		return append(manifests, "Prefer")
	case VerbVerify:
		return []string{"Diagnostics", "WithTimeout", "Wait"}
	case VerbStatus:
		return []string{"WithTimeout"}
	case VerbDiagnose:
		return []string{"Diagnostics", "WithTimeout"}
	case VerbDown:
		return []string{"WithTimeout", "RemoveWorkloads", "Force", "WithScope"}
	}
	return nil
}

// Choose returns what options say to a verb. All that the verb has no use for, and all that
// cannot be right, comes in one *UsageError.
func Choose(verb Verb, options ...Option) (Choices, error) {
	choices, found := choose(verb, options)
	if err := errors.Join(found.all...); err != nil {
		return choices, &UsageError{err}
	}
	return choices, nil
}

func choose(verb Verb, options []Option) (Choices, mistakes) {
	var c Choices
	var found mistakes
	for _, option := range options {
		switch {
		case option.set == nil:
			found.wrong("Option{}", "says nothing; options are made by functions, such as Only")
		case option.name != "Only" && !slices.Contains(verb.uses(), option.name):
			found.wrong(option.name, "means nothing to %s", verb)
		default:
			option.set(&c)
		}
	}
	word(&found, "Prefer", c.Prefer, UseLock, UseCluster)
	word(&found, "WithPrebuilt", c.Prebuilt, config.PrebuiltPrefer, config.PrebuiltRequire, config.PrebuiltIgnore)
	word(&found, "WithScope", c.Scope, ScopeAll, ScopeCluster, ScopeHost)
	how := []DryRun{DryRunNone, DryRunClient}
	if verb == VerbDeploy {
		how = append(how, DryRunServer)
	}
	word(&found, "WithDryRun", c.DryRun, how...)
	moreThanZero(&found, "WithTimeout", c.Timeout)
	moreThanZero(&found, "WithBuildTimeout", c.BuildTimeout)
	if verb == VerbDiagnose && c.Diagnostics == "" {
		found.wrong("Diagnostics", "is missing; say where the folder is to be")
	}
	if c.Parallel < 0 {
		found.wrong("Parallel", "%d must be more than 0", c.Parallel)
	}
	if c.Kustomize != "" && len(c.Apply) > 0 {
		found.wrong("Kustomize", "and Apply are both given; choose one")
	}
	if c.Recursive && len(c.Apply) == 0 {
		found.wrong("Recursive", "is about the folders of Apply, and there is none")
	}
	if c.RemoveWorkloads && c.Scope == ScopeHost {
		found.wrong("RemoveWorkloads", "needs the cluster, which WithScope(%q) leaves alone", c.Scope)
	}
	return c, found
}

func moreThanZero(m *mistakes, option string, timeout *time.Duration) {
	if timeout != nil && *timeout <= 0 {
		m.wrong(option, "%s must be more than 0", *timeout)
	}
}
