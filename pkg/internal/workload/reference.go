package workload

import (
	"fmt"
	"slices"
	"strings"
)

// reference names a workload.
type reference struct {
	namespace string
	kind      kind
	name      string
}

// String is how kubectl prints it.
func (r reference) String() string { return r.kind.full() + "/" + r.name }

// where is String with the namespace, for sentences.
func (r reference) where() string { return fmt.Sprintf("%s in namespace %s", r, r.namespace) }

// typed is how a user types it.
func (r reference) typed() string { return string(r.kind) + "/" + r.name }

func parseReference(text, namespace string) (reference, error) {
	parts := strings.Split(text, "/")
	if len(parts) == 3 {
		namespace, parts = parts[0], parts[1:]
	}
	if len(parts) != 2 || parts[1] == "" || namespace == "" {
		return reference{}, fmt.Errorf("workload %q is not KIND/NAME or NAMESPACE/KIND/NAME, like deployment/datastorage",
			text)
	}
	for _, known := range kinds() {
		if slices.Contains(known.spellings(), strings.ToLower(parts[0])) {
			return reference{namespace: namespace, kind: known, name: parts[1]}, nil
		}
	}
	return reference{}, fmt.Errorf("workload %q: the kind %q cannot be deployed to; %s can", text, parts[0], deployable())
}

// Means tells whether a text means the workload that kubectl prints as name, in the
// namespace that it is in; namespace is that of texts that say none.
func Means(text, namespace, in, name string) bool {
	ref, err := parseReference(text, namespace)
	return err == nil && ref.namespace == in && ref.String() == name
}
