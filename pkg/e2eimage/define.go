package e2eimage

import (
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// Definition is what a suite says in Go instead of in an e2eimage.yaml. Its fields are those
// of the file, and zero values mean the file's defaults. Paths are relative to Options.Dir.
type Definition struct {
	// Consumer is the suite's name in records, a DNS-1123 label; "" for the Kind cluster's.
	Consumer string
	// Namespace of the record and the workloads, "" for the kubeconfig's.
	Namespace string
	// Registry that the images go through, HOST/PATH, in place of the nodes of a Kind cluster;
	// "" for what the cluster announces where there is no Kind cluster.
	Registry string
	// Tag is the template of tags, "" for config.DefaultTagTemplate: {{.Consumer}}-{{.Random}}.
	Tag string
	// TagGroup lets the images share one tag.
	TagGroup string
	// Engine that builds and has the images, docker or podman; "" for the one that does.
	Engine string
	// Prebuilt says whether prebuilt images replace builds, "" for config.PrebuiltPrefer.
	Prebuilt config.Prebuilt
	// Freshness says what a changed tree means, "" for config.FreshnessWarn.
	Freshness config.Freshness
	// KeepPrevious is how many earlier images stay on the nodes; 0 for
	// config.DefaultKeepPrevious, below 0 for none.
	KeepPrevious int
	// Helm maps chart values to templates: "image.tag" to "{{.Tag}}".
	Helm map[string]string
	// WaitFor are further workloads that a wait for rollouts waits for, as KIND/NAME or
	// NAMESPACE/KIND/NAME: those that run none of the images.
	WaitFor []string
	// Lock is the lock file, "" for .e2eimage/CONSUMER.lock.yaml in Options.Dir. It keeps
	// what was built on this host; no repository needs it.
	Lock   string
	Images []ImageDefinition
}

// ImageDefinition is one image of a Definition.
type ImageDefinition struct {
	// Name in records and manifests, a DNS-1123 label.
	Name string
	// Source is where the built image comes from, as config.ParseSource understands it. An
	// engine's Build needs none.
	Source string
	// Repository of the recorded image, "" for localhost/NAME.
	Repository string
	// Registry that the image goes through, "" for the Definition's.
	Registry string
	// External is an image that is loaded under its own name and never tagged, such as
	// docker.io/library/postgres:16. It has no other fields.
	External string
	// Prebuilt is an archive or image that replaces the build, where it is there.
	Prebuilt string
	// Pull says whether an engine pulls External, or a Prebuilt that is a reference; "" for
	// config.PullMissing and config.PullNever.
	Pull config.Pull
	// HostOnly images are built and named on this host, and never go into a cluster.
	HostOnly bool
	// Build says how it is built, nil for not at all.
	Build *BuildDefinition
	// Deploy says what runs it.
	Deploy DeployDefinition
}

// BuildDefinition says how an image is built: by an engine, or by a command.
type BuildDefinition struct {
	// Context is the folder that is built, "" for Options.Dir.
	Context string
	// File is the Dockerfile, "" for the engine's default in Context.
	File   string
	Target string
	// Platform like linux/amd64, "" for the engine's own.
	Platform string
	// Args may be templates.
	Args    map[string]string
	NoCache bool
	// Flags for each engine: Flags["podman"].
	Flags map[string][]string
	// Command builds the image in place of an engine, in Options.Dir.
	Command []string
}

// DeployDefinition says what runs an image.
type DeployDefinition struct {
	// Workloads as KIND/NAME or NAMESPACE/KIND/NAME; nil for deployment/NAME, empty for none.
	Workloads []string
	// Containers to set, empty for those that run the image already.
	Containers []string
	// PullPolicy is Never or IfNotPresent; "" keeps it, but Always becomes Never.
	PullPolicy string
	// Timeout of each rollout, 0 for config.DefaultTimeout.
	Timeout time.Duration
	// MaxRestarts of a crash loop before it is given up, 0 for config.DefaultMaxRestarts;
	// below 0 it never is.
	MaxRestarts int
}

// Define returns the suite that Go code says, without a file. Everything that is wrong with
// options and definition comes in one *UsageError. It connects to nothing yet.
func Define(options Options, definition Definition) (*Suite, error) {
	client, err := New(options)
	if err != nil {
		return nil, err
	}
	flags := client.options.flags()
	flags.Consumer, flags.Namespace, flags.Engine = definition.Consumer, definition.Namespace, definition.Engine
	flags.Prebuilt, flags.Lock, flags.Registry = definition.Prebuilt, definition.Lock, definition.Registry
	resolved, err := config.Define(flags, definition.written(), definition.Tag, client.options.LookupEnv,
		client.options.Dir)
	if err != nil {
		return nil, &UsageError{err}
	}
	return &Suite{client: client, suite: resolved}, nil
}

// written is the definition as a file would say it.
func (d Definition) written() config.Suite {
	suite := config.Suite{
		Registry: d.Registry, TagGroup: d.TagGroup, Freshness: d.Freshness, KeepPrevious: d.KeepPrevious, Helm: d.Helm,
		WaitFor: d.WaitFor,
	}
	for _, image := range d.Images {
		written := config.Image{
			Name: image.Name, Source: image.Source, Repository: image.Repository, Registry: image.Registry,
			External: image.External, Prebuilt: image.Prebuilt, Pull: image.Pull, HostOnly: image.HostOnly,
			Deploy: config.Deploy{
				Workloads: image.Deploy.Workloads, Containers: image.Deploy.Containers, PullPolicy: image.Deploy.PullPolicy,
				Timeout: image.Deploy.Timeout, MaxRestarts: image.Deploy.MaxRestarts,
			},
		}
		if build := image.Build; build != nil {
			written.Build = &config.Build{
				Context: build.Context, File: build.File, Target: build.Target, Platform: build.Platform, Args: build.Args,
				NoCache: build.NoCache, Flags: build.Flags, Command: build.Command,
			}
		}
		suite.Images = append(suite.Images, written)
	}
	return suite
}
