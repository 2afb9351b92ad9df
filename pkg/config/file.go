package config

import (
	"errors"
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"
)

// Values of apiVersion and kind.
const (
	apiVersion = "e2eimage.dev/v1alpha1"
	kind       = "Config"
)

// file is e2eimage.yaml as written.
type file struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Tag        string `yaml:"tag"`
	Engine     string `yaml:"engine"`
	Freshness  string `yaml:"freshness"`
	// KeepPrevious is nil for the default.
	KeepPrevious *int        `yaml:"keepPrevious"`
	Images       []fileImage `yaml:"images"`
	Suites       []fileSuite `yaml:"suites"`
	// A single suite may stand at top level.
	Consumer    string            `yaml:"consumer"`
	KindCluster string            `yaml:"kindCluster"`
	Namespace   string            `yaml:"namespace"`
	TagGroup    string            `yaml:"tagGroup"`
	Helm        map[string]string `yaml:"helm"`
}

type fileSuite struct {
	Consumer    string            `yaml:"consumer"`
	KindCluster string            `yaml:"kindCluster"`
	Namespace   string            `yaml:"namespace"`
	TagGroup    string            `yaml:"tagGroup"`
	Images      []string          `yaml:"images"`
	Helm        map[string]string `yaml:"helm"`
}

type fileImage struct {
	Name       string      `yaml:"name"`
	Source     string      `yaml:"source"`
	Repository string      `yaml:"repository"`
	Build      *fileBuild  `yaml:"build"`
	Prebuilt   string      `yaml:"prebuilt"`
	External   string      `yaml:"external"`
	Deploy     *fileDeploy `yaml:"deploy"`
}

type fileBuild struct {
	Context  string              `yaml:"context"`
	File     string              `yaml:"file"`
	Target   string              `yaml:"target"`
	Platform string              `yaml:"platform"`
	Args     map[string]string   `yaml:"args"`
	NoCache  bool                `yaml:"noCache"`
	Flags    map[string][]string `yaml:"flags"`
	Command  []string            `yaml:"command"`
}

type fileDeploy struct {
	Workloads   *[]string `yaml:"workloads"`
	Containers  []string  `yaml:"containers"`
	PullPolicy  string    `yaml:"pullPolicy"`
	Timeout     *duration `yaml:"timeout"`
	MaxRestarts *int      `yaml:"maxRestarts"`
}

// duration is written as 120s or 5m.
type duration time.Duration

func (d *duration) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.ScalarNode {
		return errors.New("must be one duration, such as 120s or 5m")
	}
	parsed, err := time.ParseDuration(node.Value)
	if err != nil || parsed <= 0 {
		return fmt.Errorf("%q is no duration; write 120s or 5m", node.Value)
	}
	*d = duration(parsed)
	return nil
}

// suites returns the suites of the file; a single one at top level counts.
func (f *file) suites() []fileSuite {
	if len(f.Suites) > 0 {
		return f.Suites
	}
	return []fileSuite{{
		Consumer: f.Consumer, KindCluster: f.KindCluster, Namespace: f.Namespace, TagGroup: f.TagGroup,
		Helm: f.Helm,
	}}
}
