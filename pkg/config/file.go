package config

// Values of apiVersion and kind.
const (
	apiVersion = "e2eimage.dev/v1alpha1"
	kind       = "Config"
)

// file is e2eimage.yaml as written. Its images are those of a Suite; what the file does not
// say has no value yet.
type file struct {
	APIVersion   string    `yaml:"apiVersion"`
	Kind         string    `yaml:"kind"`
	Tag          string    `yaml:"tag"`
	Engine       string    `yaml:"engine"`
	Freshness    Freshness `yaml:"freshness"`
	KeepPrevious *int      `yaml:"keepPrevious"`
	Images       []Image   `yaml:"images"`
	// A single suite may stand at top level.
	consumerFields
	Suites []fileSuite `yaml:"suites"`
}

type fileSuite struct {
	consumerFields
	Images []string `yaml:"images"`
}

// consumerFields are about one consumer of images.
type consumerFields struct {
	Consumer    string            `yaml:"consumer"`
	KindCluster string            `yaml:"kindCluster"`
	Registry    string            `yaml:"registry"`
	Namespace   string            `yaml:"namespace"`
	TagGroup    string            `yaml:"tagGroup"`
	Helm        map[string]string `yaml:"helm"`
	WaitFor     []string          `yaml:"waitFor"`
}

func (f *file) imageNames() []string {
	names := make([]string, 0, len(f.Images))
	for _, image := range f.Images {
		names = append(names, image.Name)
	}
	return names
}
