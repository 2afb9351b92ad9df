package record

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Set is all records of one consumer in one namespace: one ConfigMap.
type Set struct {
	Namespace string
	Consumer  string

	configMap *corev1.ConfigMap
	// commands are those that errors suggest; nil for those that say all.
	commands Commands
}

// ConfigMapName returns the name of the ConfigMap that holds the consumer's records.
func ConfigMapName(consumer string) string { return "e2eimage-" + consumer }

// Owner is the value of the owner label on a node's tags.
func Owner(namespace, consumer, name string) string {
	return namespace + "." + consumer + "." + name
}

// ParseOwner takes the value of an owner label apart.
func ParseOwner(owner string) (namespace, consumer, name string, ok bool) {
	namespace, rest, _ := strings.Cut(owner, ".")
	consumer, name, ok = strings.Cut(rest, ".")
	return namespace, consumer, name, ok
}

func newSet(namespace, consumer string) *Set {
	return &Set{Namespace: namespace, Consumer: consumer, configMap: &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace,
			Name:      ConfigMapName(consumer),
			Labels:    map[string]string{ManagedByLabel: ManagedBy, ConsumerLabel: consumer},
		},
	}}
}

func fromConfigMap(configMap *corev1.ConfigMap) *Set {
	return &Set{Namespace: configMap.Namespace, Consumer: configMap.Labels[ConsumerLabel], configMap: configMap}
}

// Names of the images that have an entry, recorded or claimed, sorted.
func (s *Set) Names() []string {
	names := map[string]bool{}
	for name := range s.configMap.Data {
		names[name] = true
	}
	for key := range s.configMap.Annotations {
		if name, ok := strings.CutPrefix(key, AnnotationPrefix); ok {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// anew is what to type where a record is not to be believed. The lock stays, and with it
// what tag goes by; so do tags in use.
func (s *Set) anew(name string) string {
	return fmt.Sprintf("remove the record: %s --scope=cluster\nthen record it again: %s", s.typed("clean", name),
		s.typed("tag", name))
}

// TamperedError says that annotation and evidence of an image disagree.
type TamperedError struct {
	Set                        *Set
	Name, Annotation, Evidence string
}

func (e *TamperedError) Error() string {
	say := func(image string) string {
		if image == "" {
			return "nothing"
		}
		return image
	}
	return fmt.Sprintf(`the record of %s was changed by hand: in ConfigMap %s/%s the annotation %s%s says %s, the evidence in data says %s
%s`,
		e.Name, e.Set.Namespace, e.Set.configMap.Name, AnnotationPrefix, e.Name, say(e.Annotation), say(e.Evidence),
		e.Set.anew(e.Name))
}

// Entry returns the evidence of an image, nil when there is none.
// Errors: *TamperedError, which the evidence comes with; *NewerError, unreadable YAML.
func (s *Set) Entry(name string) (*Evidence, error) {
	evidence, err := s.evidence(name)
	if err != nil {
		return nil, err
	}
	annotation := s.configMap.Annotations[AnnotationPrefix+name]
	recorded := ""
	if evidence != nil && evidence.State == Ready {
		recorded = evidence.Image
	}
	if annotation != recorded {
		return evidence, &TamperedError{Set: s, Name: name, Annotation: annotation, Evidence: recorded}
	}
	return evidence, nil
}

// evidence reads an entry without comparing it with its annotation.
func (s *Set) evidence(name string) (*Evidence, error) {
	text, ok := s.configMap.Data[name]
	if !ok {
		return nil, nil
	}
	return s.parse(name, text)
}

// put writes an entry and keeps its annotation in step; nil removes both.
func (s *Set) put(name string, evidence *Evidence) error {
	key := AnnotationPrefix + name
	if evidence == nil {
		delete(s.configMap.Data, name)
		delete(s.configMap.Annotations, key)
		return nil
	}
	text, err := evidence.marshal()
	if err != nil {
		return err
	}
	if s.configMap.Data == nil {
		s.configMap.Data = map[string]string{}
	}
	s.configMap.Data[name] = text
	if evidence.State != Ready {
		delete(s.configMap.Annotations, key)
		return nil
	}
	if s.configMap.Annotations == nil {
		s.configMap.Annotations = map[string]string{}
	}
	s.configMap.Annotations[key] = evidence.Image
	return nil
}

// empty tells whether nothing of ours is left in the ConfigMap.
func (s *Set) empty() bool { return len(s.Names()) == 0 }
