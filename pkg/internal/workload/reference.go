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

// spellings are what kubectl takes for each kind.
func spellings() map[kind][]string {
	return map[kind][]string{
		deployment:  {"deployment", "deployments", "deploy", "deployment.apps", "deployments.apps"},
		statefulSet: {"statefulset", "statefulsets", "sts", "statefulset.apps", "statefulsets.apps"},
		daemonSet:   {"daemonset", "daemonsets", "ds", "daemonset.apps", "daemonsets.apps"},
	}
}

// String is how kubectl prints it.
func (r reference) String() string { return string(r.kind) + ".apps/" + r.name }

func parseReference(text, namespace string) (reference, error) {
	parts := strings.Split(text, "/")
	if len(parts) == 3 {
		namespace, parts = parts[0], parts[1:]
	}
	if len(parts) != 2 || parts[1] == "" {
		return reference{}, fmt.Errorf("workload %q is not KIND/NAME or NAMESPACE/KIND/NAME", text)
	}
	for known, words := range spellings() {
		if slices.Contains(words, strings.ToLower(parts[0])) {
			return reference{namespace: namespace, kind: known, name: parts[1]}, nil
		}
	}
	return reference{}, fmt.Errorf("workload %q: the kind %q cannot be deployed to; deployment, statefulset and daemonset can", text, parts[0])
}
