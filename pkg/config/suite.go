package config

import (
	"path/filepath"
	"time"
)

// Suite is what a verb works on: one consumer's images, resolved.
type Suite struct {
	// Consumer is "" when nobody said one: writers then use the Kind cluster's
	// name, readers the only consumer that has the images.
	Consumer string
	// KindCluster is "" for the one of the kube context.
	KindCluster string
	// Provider is docker, podman, or "" for whichever has the cluster.
	Provider string
	// ProviderHint is kind's own KIND_EXPERIMENTAL_PROVIDER: it decides between
	// twins only.
	ProviderHint string
	// Registry that images go through, as ParseRegistry understands it, NoRegistry, or "" where
	// nobody says: then it is the cluster's nodes, or what the cluster announces if they are not
	// those of a Kind cluster here. An image may say another.
	Registry string
	// Namespace is "" for the kubeconfig's.
	Namespace string
	// TagGroup lets several images share one drawn tag.
	TagGroup string
	// Engine that builds and has the images, docker or podman, "" when nobody
	// said.
	Engine string
	// Prebuilt says whether prebuilt images replace builds.
	Prebuilt Prebuilt
	// Freshness says what happens when a tree changed since its image was built.
	Freshness Freshness
	// KeepPrevious is how many images that were recorded before stay named on
	// nodes and host.
	KeepPrevious int
	// Lock is the lock file that was asked for, "" for the one of LockDir.
	Lock string
	// LockDir is where lock files are, one for each consumer: beside File; ""
	// without one.
	LockDir string
	// Artifacts is the folder for what explains a failure, absolute; "" for none.
	Artifacts string
	// Helm maps chart values to templates.
	Helm map[string]string
	// WaitFor are further workloads that a wait for rollouts waits for, as [NAMESPACE/]KIND/NAME:
	// those that run none of the images.
	WaitFor []string
	// Part is set when not all images of the suite were asked for.
	Part bool
	// Images in the order asked, or in the file's.
	Images []Image
	// Others are the suite's images that were not asked for.
	Others []Image
	// File is the config file that was used, "" for none.
	File string
	// Hints is for commands that are suggested to the user.
	Hints Hints
}

// Hints say how a command has to be typed so that it works on the same suite.
type Hints struct {
	// Consumer, Namespace and Lock are those that a command without flags works on: they
	// need not be typed.
	Consumer, Namespace, Lock string
	// Cluster is the consumer of who records where nobody says one, Only that of who reads:
	// the only one that has records there. Both are "" where that is not known.
	Cluster, Only string
	// Flags are to be typed in any case, each a word.
	Flags []string
}

// Image is one image of a suite. Fields with a tag are those of e2eimage.yaml.
type Image struct {
	Name string `yaml:"name"`
	// Source is where the built image comes from; see ParseSource. "" when
	// nobody said.
	Source string `yaml:"source"`
	// Repository of the recorded image, "" when nobody said; then it is
	// DefaultRepository.
	Repository string `yaml:"repository"`
	// Registry that the image goes through, "" for the suite's.
	Registry string `yaml:"registry"`
	// Tag is an exact tag, "" to draw one from TagTemplate.
	Tag         string
	TagTemplate string
	// External is an image that is loaded under its own name and never tagged.
	External string `yaml:"external"`
	// Prebuilt is an archive or image from CI that replaces a build.
	Prebuilt string `yaml:"prebuilt"`
	// HostOnly images are built and named on the host, and never go into a cluster.
	HostOnly bool `yaml:"hostOnly"`
	// Pull says whether an engine pulls External, or a Prebuilt that is a reference; "" for the
	// default, see Pulls.
	Pull Pull `yaml:"pull"`
	// Unfilled tells why Source, Repository or Prebuilt is still a template: it
	// needs a variable that is not set, or a consumer that nobody said. Verbs
	// that use such a field ask Need first.
	Unfilled map[Field]Problem
	Build    *Build `yaml:"build"`
	Deploy   Deploy `yaml:"deploy"`
	// Loose is set where an image was given instead of a NAME: Source is loaded as it is,
	// and neither lock nor record is about it.
	Loose bool
}

// Prebuilt says whether prebuilt images replace builds.
type Prebuilt string

// What becomes of prebuilt images.
const (
	// PrebuiltPrefer takes those that are there and builds the others.
	PrebuiltPrefer Prebuilt = "prefer"
	// PrebuiltRequire fails where one is not there.
	PrebuiltRequire Prebuilt = "require"
	// PrebuiltIgnore builds all.
	PrebuiltIgnore Prebuilt = "ignore"
)

// Pull says whether an image is pulled from its registry.
type Pull string

// When images are pulled.
const (
	// PullMissing pulls those that no engine of the host has.
	PullMissing Pull = "missing"
	// PullAlways pulls each time: the registry may have a newer one.
	PullAlways Pull = "always"
	// PullNever takes what an engine has.
	PullNever Pull = "never"
)

// Pulls is when the image is pulled: as said, else an external one where it is missing, and
// a prebuilt one never.
func (i Image) Pulls() Pull {
	switch {
	case i.Pull != "":
		return i.Pull
	case i.External != "":
		return PullMissing
	}
	return PullNever
}

// Freshness says what a tree that changed since its image was built means.
type Freshness string

// What a changed tree means.
const (
	// FreshnessStrict makes it an error.
	FreshnessStrict Freshness = "strict"
	// FreshnessWarn makes it a warning.
	FreshnessWarn Freshness = "warn"
	// FreshnessOff looks at nothing.
	FreshnessOff Freshness = "off"
)

// lockFolder is where lock files are, beside e2eimage.yaml.
const lockFolder = ".e2eimage"

// LockFile is the path of the consumer's lock file, "" when there is none.
func (s Suite) LockFile(consumer string) string {
	if s.Lock != "" || s.LockDir == "" {
		return s.Lock
	}
	return filepath.Join(s.LockDir, consumer+".lock.yaml")
}

// Deploy says what runs an image.
type Deploy struct {
	// Workloads as [NAMESPACE/]KIND/NAME; empty means nothing to deploy.
	Workloads []string `yaml:"workloads"`
	// Containers to set, empty for those that run the image already.
	Containers []string `yaml:"containers"`
	// PullPolicy is "" (kept, but Always becomes Never), Never or IfNotPresent.
	PullPolicy string `yaml:"pullPolicy"`
	// Timeout of each rollout.
	Timeout time.Duration `yaml:"timeout"`
	// MaxRestarts of a crash loop before it is given up, 0 for never.
	MaxRestarts int `yaml:"maxRestarts"`
}

// Defaults of what nobody said.
const (
	DefaultTagTemplate = "{{.Consumer}}-{{.Random}}"
	DefaultTimeout     = 120 * time.Second
	DefaultMaxRestarts = 3
	// DefaultKeepPrevious images that were recorded before.
	DefaultKeepPrevious = 2
)

// DefaultRepository of the recorded image of name.
func DefaultRepository(name string) string { return "localhost/" + name }
