package config

import "time"

// Flags are what a command line, or a Go suite, says. Zero values say nothing. A command
// line can bind its flags to the fields.
type Flags struct {
	ConfigPath, Consumer, KindCluster, Provider, Namespace string
	Engine, Lock, Registry                                 string
	Prebuilt                                               Prebuilt
	// Artifacts is the folder for what explains a failure.
	Artifacts string
	// Names of the images, empty for every image of the suite.
	Names []string
	// NamesOrImages takes Names that no image of the file has for images, as ParseSource
	// understands them; see Image.Loose.
	NamesOrImages bool
	// Repeat are flags, each a word, that suggested commands repeat.
	Repeat []string
	// AnyImages lets a suite have no images, where neither names nor a file say
	// any: all that there are.
	AnyImages bool
	// Source, Repository and Tag are for exactly one image.
	Source, Repository, Tag, TagTemplate string
	Workloads, Containers                []string
	PullPolicy                           string
	// Timeout of each rollout, nil for the file's.
	Timeout *time.Duration
	// MaxRestarts of a crash loop, nil for the file's.
	MaxRestarts *int
}

// Environment looks up a variable, as os.LookupEnv does.
type Environment func(key string) (string, bool)

// Variables that are read, with what they stand for, in the order of help texts.
func Variables() [][2]string {
	var rows [][2]string
	for _, v := range new(Flags).variables() {
		rows = append(rows, [2]string{v.name, v.usage})
	}
	return rows
}

// kindProvider is kind's own variable. It is no --provider: it decides between twins only.
const kindProvider = "KIND_EXPERIMENTAL_PROVIDER"

// variable says what its flag does not.
type variable struct {
	name, flag string
	field      *string
	usage      string
}

// variables by precedence where several stand for one flag.
func (f *Flags) variables() []variable {
	return []variable{
		{"E2EIMAGE_CONFIG", "--config", &f.ConfigPath, "the config file, like --config"},
		{"E2EIMAGE_CONSUMER", "--consumer", &f.Consumer, "the consumer, like --consumer"},
		{"E2EIMAGE_KIND_CLUSTER", "--kind-cluster", &f.KindCluster, "the Kind cluster, like --kind-cluster"},
		{"KIND_CLUSTER_NAME", "--kind-cluster", &f.KindCluster, "the Kind cluster, where E2EIMAGE_KIND_CLUSTER is not set"},
		{"E2EIMAGE_REGISTRY", "--registry", &f.Registry, "the registry that images go through, like --registry"},
		{"E2EIMAGE_NAMESPACE", "--namespace", &f.Namespace, "the namespace, like --namespace"},
		{"E2EIMAGE_ENGINE", "--engine", &f.Engine, "the engine that builds and has the images, like --engine"},
		{
			"E2EIMAGE_PREBUILT", "--prebuilt", (*string)(&f.Prebuilt),
			"whether prebuilt images replace builds, like --prebuilt",
		},
		{"E2EIMAGE_LOCK", "--lock", &f.Lock, "the lock file, like --lock"},
		{
			"E2EIMAGE_ARTIFACTS", "--artifacts", &f.Artifacts,
			"where deploy, up and verify write what explains a failure, like --artifacts",
		},
		{kindProvider, "", nil, "decides between docker and podman where both have the cluster"},
	}
}

// withVariables fills in what no flag says, and tells which variable did, by the flag. A
// variable that is overridden is not even looked at.
func (f Flags) withVariables(environment Environment) (filled Flags, by map[string]string) {
	by = map[string]string{}
	for _, v := range f.variables() {
		if v.field == nil || *v.field != "" {
			continue
		}
		if value, _ := environment(v.name); value != "" {
			*v.field, by[v.flag] = value, v.name
		}
	}
	return f, by
}
