package record

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Names under which the record stands in the cluster.
const (
	// APIVersion of the evidence.
	APIVersion = "e2eimage.dev/v1alpha1"
	// RegistryAPIVersion is that of evidence of an image in a registry: older versions, which
	// look for it on nodes, refuse it.
	RegistryAPIVersion = "e2eimage.dev/v1alpha2"
	// ManagedByLabel and ManagedBy mark the ConfigMaps that are records.
	ManagedByLabel = "app.kubernetes.io/managed-by"
	ManagedBy      = "kubectl-e2eimage"
	// ConsumerLabel holds the consumer.
	ConsumerLabel = "e2eimage.dev/consumer"
	// AnnotationPrefix comes before the name of each image.
	AnnotationPrefix = "image.e2eimage.dev/"

	evidenceKind = "Evidence"
	// maxPrevious bounds the history, and so the size of the ConfigMap.
	maxPrevious = 10
)

// States of an entry.
const (
	// Pending: a tag is claimed and may be on nodes; nothing is recorded yet.
	Pending = "Pending"
	// Ready: the recorded image is on every node.
	Ready = "Ready"
	// Releasing: the entry's tags are being taken off the nodes. Nobody adopts it.
	Releasing = "Releasing"
)

// Evidence is what data.<name> of the ConfigMap holds, as YAML.
type Evidence struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// State is Pending, Ready or Releasing.
	State string `json:"state"`
	// Image is the recorded image, `<repository>:<tag>`; while Pending, the claimed one.
	Image string `json:"image"`
	// ImageID is the config digest, "sha256:<64 hex>".
	ImageID string `json:"imageID"`
	// Engine of the host that had the image, and its own ID of it, where known.
	Engine   string `json:"engine,omitempty"`
	EngineID string `json:"engineID,omitempty"`
	// Host whose engine that is.
	Host string `json:"host,omitempty"`
	// Source is where the image came from, as the user named it.
	Source string `json:"source,omitempty"`
	// SourceWas is the image ID that the nodes had under the source's name then, where
	// that was another one: what they had before says nothing of later.
	SourceWas string `json:"sourceWas,omitempty"`
	// Platform in OCI form, like linux/amd64.
	Platform string `json:"platform,omitempty"`
	// Commit that the image was built from, where known.
	Commit string `json:"commit,omitempty"`
	// By is who recorded it, user@host.
	By string `json:"by,omitempty"`
	// Registry that nodes pull the image from, nil for one that is on the nodes.
	Registry *Registry `json:"registry,omitempty"`
	// Nodes that had the image when it was recorded.
	Nodes []string `json:"nodes,omitempty"`
	// Claimed and Recorded are when the tag was decided and when it was true
	// on every node.
	Claimed  metav1.Time  `json:"claimed"`
	Recorded *metav1.Time `json:"recorded,omitempty"`
	// Holders are the runs that are carrying out this claim.
	Holders []string `json:"holders,omitempty"`
	// Claim is the next image while one is being carried out: the record above
	// stays true until it is done.
	Claim *Claim `json:"claim,omitempty"`
	// Was is what a shared tag stood for before this claim moves it: undone, it is
	// that again.
	Was *Evidence `json:"was,omitempty"`
	// Previous are the images recorded before, the newest first.
	Previous []Previous `json:"previous,omitempty"`
	// Release are tags that still have to be taken off the nodes.
	Release []string `json:"release,omitempty"`
}

// Claim is a decided tag that may already be on some nodes.
type Claim struct {
	Image    string      `json:"image"`
	ImageID  string      `json:"imageID"`
	Claimed  metav1.Time `json:"claimed"`
	Holders  []string    `json:"holders"`
	Registry *Registry   `json:"registry,omitempty"`
}

// Previous is an image that was recorded before.
type Previous struct {
	Image    string       `json:"image"`
	ImageID  string       `json:"imageID"`
	Recorded *metav1.Time `json:"recorded,omitempty"`
}

// Tags returns every recorded or claimed image that this entry may have put on
// nodes, each once.
func (e *Evidence) Tags() []string {
	var tags []string
	add := func(image string) {
		if image != "" && !slices.Contains(tags, image) {
			tags = append(tags, image)
		}
	}
	add(e.Image)
	if e.Claim != nil {
		add(e.Claim.Image)
	}
	for _, previous := range e.Previous {
		add(previous.Image)
	}
	for _, image := range e.Release {
		add(image)
	}
	return tags
}

// StandsFor is the image ID that an image is recorded, or claimed, for, and whether it is
// at all; "" where it only has to be taken off the nodes.
func (e *Evidence) StandsFor(image string) (imageID string, has bool) {
	switch {
	case e.Claim != nil && e.Claim.Image == image:
		return e.Claim.ImageID, true
	case e.Image == image:
		return e.ImageID, true
	}
	for _, previous := range e.Previous {
		if previous.Image == image {
			return previous.ImageID, true
		}
	}
	return "", slices.Contains(e.Release, image)
}

// NewerError says that the evidence was written by a newer version.
type NewerError struct {
	Name, APIVersion, Kind string
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("the record of %s is %s %s, which this version does not know (it writes %s %s); use a newer "+
		"kubectl-e2eimage",
		e.Name, e.APIVersion, e.Kind, RegistryAPIVersion, evidenceKind)
}

// UnreadableError says that the evidence is no evidence.
type UnreadableError struct {
	Set  *Set
	Name string
	Err  error
}

func (e *UnreadableError) Error() string {
	return fmt.Sprintf("the record of %s cannot be read: %v\n%s", e.Name, e.Err, e.Set.anew(e.Name))
}

// Unwrap returns what is wrong with it.
func (e *UnreadableError) Unwrap() error { return e.Err }

func (s *Set) parse(name, text string) (*Evidence, error) {
	var evidence Evidence
	if err := yaml.Unmarshal([]byte(text), &evidence); err != nil {
		return nil, &UnreadableError{Set: s, Name: name, Err: err}
	}
	known := evidence.APIVersion == APIVersion || evidence.APIVersion == RegistryAPIVersion
	if !known || evidence.Kind != evidenceKind {
		return nil, &NewerError{Name: name, APIVersion: evidence.APIVersion, Kind: evidence.Kind}
	}
	if err := errors.Join(evidence.oneLineEach(), evidence.Registry.check()); err != nil {
		return nil, &UnreadableError{Set: s, Name: name, Err: err}
	}
	return &evidence, nil
}

// oneLineEach refuses what would look like several lines of ours in a message.
func (e *Evidence) oneLineEach() error {
	var err error
	for _, field := range append(e.registryFields(), [][2]string{
		{"image", e.Image},
		{"imageID", e.ImageID},
		{"engine", e.Engine},
		{"engineID", e.EngineID},
		{"host", e.Host},
		{"source", e.Source},
		{"platform", e.Platform},
		{"commit", e.Commit},
		{"by", e.By},
	}...) {
		if strings.ContainsFunc(field[1], unicode.IsControl) {
			err = errors.Join(err, fmt.Errorf("%s has line breaks or other control characters: %q", field[0], field[1]))
		}
	}
	return err
}

func (e *Evidence) marshal() (string, error) {
	e.APIVersion, e.Kind = APIVersion, evidenceKind
	if e.Registry != nil || e.Claim != nil && e.Claim.Registry != nil {
		e.APIVersion = RegistryAPIVersion
	}
	text, err := yaml.Marshal(e)
	return string(text), err
}

// Now has the precision that YAML keeps, so that what is written equals what is
// read.
func Now() metav1.Time { return metav1.NewTime(time.Now().UTC().Truncate(time.Second)) }
