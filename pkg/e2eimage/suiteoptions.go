package e2eimage

import (
	"io"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// Option is a choice for one call of a Suite's method. A method that has no use for it
// returns a *UsageError.
type Option struct {
	name string
	set  func(*Choices)
}

// Only the images of these names, in that order; without it, all of the suite.
func Only(names ...string) Option {
	return Option{"Only", func(c *Choices) { c.Only = append(c.Only, names...) }}
}

// Apply applies the manifests in files, folders or what patterns match, with the recorded
// images in them, instead of patching workloads. Relative paths start in Options.Dir.
func Apply(paths ...string) Option {
	return Option{"Apply", func(c *Choices) { c.Apply = append(c.Apply, paths...) }}
}

// Recursive lets Apply also read the folders inside folders.
func Recursive() Option { return Option{"Recursive", func(c *Choices) { c.Recursive = true }} }

// Kustomize is Apply of what a folder with a kustomization builds.
func Kustomize(folder string) Option {
	return Option{"Kustomize", func(c *Choices) { c.Kustomize = folder }}
}

// Manifests is Apply of manifests that are in memory.
func Manifests(manifests ...Manifest) Option {
	return Option{"Manifests", func(c *Choices) { c.Manifests = append(c.Manifests, manifests...) }}
}

// ForceConflicts takes fields of manifests over that other field managers own.
func ForceConflicts() Option {
	return Option{"ForceConflicts", func(c *Choices) { c.ForceConflicts = true }}
}

// WithTimeout bounds each rollout that Up, Deploy and Verify wait for, all builds of Build,
// and the whole of Load, Tag, Status and Down. It is more than 0.
func WithTimeout(timeout time.Duration) Option {
	return Option{"WithTimeout", func(c *Choices) { c.Timeout = &timeout }}
}

// WithBuildTimeout bounds all builds of Up together, in place of DefaultBuildTimeout.
func WithBuildTimeout(timeout time.Duration) Option {
	return Option{"WithBuildTimeout", func(c *Choices) { c.BuildTimeout = &timeout }}
}

// WithPrebuilt says whether prebuilt images replace builds.
func WithPrebuilt(prebuilt config.Prebuilt) Option {
	return Option{"WithPrebuilt", func(c *Choices) { c.Prebuilt = prebuilt }}
}

// Parallel bounds how many images are built at once, in place of DefaultParallel.
func Parallel(builds int) Option { return Option{"Parallel", func(c *Choices) { c.Parallel = builds }} }

// EngineFlags are flags for the engine that builds, of one image only.
func EngineFlags(flags ...string) Option {
	return Option{"EngineFlags", func(c *Choices) { c.EngineFlags = append(c.EngineFlags, flags...) }}
}

// SkipBuild takes what was built before.
func SkipBuild() Option { return Option{"SkipBuild", func(c *Choices) { c.SkipBuild = true }} }

// NewTag draws a new tag although the content has one already.
func NewTag() Option { return Option{"NewTag", func(c *Choices) { c.NewTag = true }} }

// Prefer decides between lock and cluster: which is right where they disagree, or which is
// read by Images.
func Prefer(use Use) Option { return Option{"Prefer", func(c *Choices) { c.Prefer = use }} }

// AllowStale goes on with what is known to be old.
func AllowStale() Option { return Option{"AllowStale", func(c *Choices) { c.AllowStale = true }} }

// CreateNamespace makes the namespace where it does not exist.
func CreateNamespace() Option {
	return Option{"CreateNamespace", func(c *Choices) { c.CreateNamespace = true }}
}

// TakeOver also changes workloads that another consumer has deployed.
func TakeOver() Option { return Option{"TakeOver", func(c *Choices) { c.TakeOver = true }} }

// Replace deletes and makes anew Jobs and Pods that cannot be changed.
func Replace() Option { return Option{"Replace", func(c *Choices) { c.Replace = true }} }

// NoWait lets Deploy return when the workloads are changed. Whether they become ready is not
// known then, and nothing is proved.
func NoWait() Option { return Option{"NoWait", func(c *Choices) { c.NoWait = true }} }

// Wait lets Verify wait for rollouts first that another tool has begun.
func Wait() Option { return Option{"Wait", func(c *Choices) { c.Wait = true }} }

// Diagnostics is the folder in which what explains a failure is written, into a new folder
// each time. A relative path starts in Options.Dir.
func Diagnostics(folder string) Option {
	return Option{"Diagnostics", func(c *Choices) { c.Diagnostics = folder }}
}

// Nodes are those to load into; a tag needs the image on every node.
func Nodes(names ...string) Option {
	return Option{"Nodes", func(c *Choices) { c.Nodes = append(c.Nodes, names...) }}
}

// Release takes the images out of the engine when all nodes have them.
func Release() Option { return Option{"Release", func(c *Choices) { c.Release = true }} }

// Stdin is what an image with the source "-" is read from.
func Stdin(from io.Reader) Option { return Option{"Stdin", func(c *Choices) { c.Stdin = from }} }

// WithDryRun decides and reports, but changes nothing.
func WithDryRun(how DryRun) Option { return Option{"WithDryRun", func(c *Choices) { c.DryRun = how }} }

// RemoveWorkloads lets Down first delete what this suite deployed: workloads that carry its
// consumer's mark, and what this Suite applied from manifests and nobody else has applied
// since, except namespaces and definitions of kinds.
func RemoveWorkloads() Option {
	return Option{"RemoveWorkloads", func(c *Choices) { c.RemoveWorkloads = true }}
}

// Force lets Down take images away although something uses them.
func Force() Option { return Option{"Force", func(c *Choices) { c.Force = true }} }

// WithScope says where Down takes images away; ScopeHost needs no cluster.
func WithScope(scope Scope) Option { return Option{"WithScope", func(c *Choices) { c.Scope = scope }} }
