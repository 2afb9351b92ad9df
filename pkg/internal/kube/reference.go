package kube

import (
	"fmt"
	"slices"
	"strings"
)

// Reference names a workload.
type Reference struct {
	Namespace string
	Kind      Kind
	Name      string
}

// String is how kubectl prints it.
func (r Reference) String() string { return r.Kind.Full() + "/" + r.Name }

// Where is String with the namespace, for sentences.
func (r Reference) Where() string { return fmt.Sprintf("%s in namespace %s", r, r.Namespace) }

// Typed is how a user types it.
func (r Reference) Typed() string { return string(r.Kind) + "/" + r.Name }

// ParseReference reads [NAMESPACE/]KIND/NAME; namespace is that of a text without one.
func ParseReference(text, namespace string) (Reference, error) {
	parts := strings.Split(text, "/")
	if len(parts) == 3 {
		namespace, parts = parts[0], parts[1:]
	}
	if len(parts) != 2 || parts[1] == "" || namespace == "" {
		return Reference{}, fmt.Errorf("workload %q is not KIND/NAME or NAMESPACE/KIND/NAME, like deployment/datastorage",
			text)
	}
	for _, known := range Kinds() {
		if slices.Contains(known.spellings(), strings.ToLower(parts[0])) {
			return Reference{Namespace: namespace, Kind: known, Name: parts[1]}, nil
		}
	}
	return Reference{}, fmt.Errorf("workload %q: the kind %q cannot be deployed to; %s can", text, parts[0], deployable())
}

// RefersTo tells whether a text means the workload that kubectl prints as name, in the
// namespace that it is in; namespace is that of texts that say none.
func RefersTo(text, namespace, in, name string) bool {
	ref, err := ParseReference(text, namespace)
	return err == nil && ref.Namespace == in && ref.String() == name
}
