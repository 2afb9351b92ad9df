package workload

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
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
	replicaSet  kind = "replicaset"
	job         kind = "job"
	cronJob     kind = "cronjob"
	barePod     kind = "pod"
)

func kinds() []kind {
	return []kind{deployment, statefulSet, daemonSet, replicaSet, job, cronJob, barePod}
}

// group is the API group, "" for the core.
func (k kind) group() string {
	switch k {
	case job, cronJob:
		return "batch"
	case barePod:
		return ""
	case deployment, statefulSet, daemonSet, replicaSet:
	}
	return "apps"
}

// made tells whether other workloads make objects of the kind.
func (k kind) made() bool { return k == replicaSet || k == job || k == barePod }

// replaceable tells whether objects of the kind are deleted and made anew where they
// cannot be changed.
func (k kind) replaceable() bool { return k == job || k == barePod }

// version is the kind as objects name it.
func (k kind) version() schema.GroupVersionKind {
	names := map[kind]string{
		deployment: "Deployment", statefulSet: "StatefulSet", daemonSet: "DaemonSet",
		replicaSet: "ReplicaSet", job: "Job", cronJob: "CronJob", barePod: "Pod",
	}
	return schema.GroupVersionKind{Group: k.group(), Version: "v1", Kind: names[k]}
}

// full is the kind with its group, as kubectl prints it.
func (k kind) full() string { return strings.TrimSuffix(string(k)+"."+k.group(), ".") }

// spellings are what kubectl takes for the kind.
func (k kind) spellings() []string {
	short := map[kind]string{
		deployment: "deploy", statefulSet: "sts", daemonSet: "ds", replicaSet: "rs", cronJob: "cj",
		barePod: "po",
	}
	one, many := string(k), string(k)+"s"
	all := []string{one, many}
	if short[k] != "" {
		all = append(all, short[k])
	}
	if group := k.group(); group != "" {
		all = append(all, one+"."+group, many+"."+group, one+".v1."+group, many+".v1."+group)
	}
	return all
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

// deployable lists the kinds, for errors.
func deployable() string {
	var names []string
	for _, k := range kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
