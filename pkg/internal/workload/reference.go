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

// kind is a kind of workload that can be deployed to.
type kind string

const (
	deployment  kind = "deployment"
	statefulSet kind = "statefulset"
	daemonSet   kind = "daemonset"
)

func kinds() []kind { return []kind{deployment, statefulSet, daemonSet} }

// spellings are what kubectl takes for the kind.
func (k kind) spellings() []string {
	short := map[kind]string{deployment: "deploy", statefulSet: "sts", daemonSet: "ds"}
	one, many := string(k), string(k)+"s"
	return []string{one, many, short[k], one + ".apps", many + ".apps", one + ".v1.apps", many + ".v1.apps"}
}

// String is how kubectl prints it.
func (r reference) String() string { return string(r.kind) + ".apps/" + r.name }

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
		return reference{}, fmt.Errorf("workload %q is not KIND/NAME or NAMESPACE/KIND/NAME, like deployment/datastorage", text)
	}
	for _, known := range kinds() {
		if slices.Contains(known.spellings(), strings.ToLower(parts[0])) {
			return reference{namespace: namespace, kind: known, name: parts[1]}, nil
		}
	}
	return reference{}, fmt.Errorf("workload %q: the kind %q cannot be deployed to; deployment, statefulset and daemonset can", text, parts[0])
}
