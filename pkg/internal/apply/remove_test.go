package apply

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestOnlyOurObjectsAreDeleted(t *testing.T) {
	t.Parallel()
	applied := metav1.ManagedFieldsEntry{Manager: fieldManager, Operation: metav1.ManagedFieldsOperationApply}
	wrote := func(manager, subresource string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate, Subresource: subresource}
	}
	for name, test := range map[string]struct {
		managed []metav1.ManagedFieldsEntry
		created bool
		want    bool
	}{
		"applied by us alone":                 {[]metav1.ManagedFieldsEntry{applied}, false, true},
		"with what Kubernetes adds":           {[]metav1.ManagedFieldsEntry{applied, wrote("kube-controller-manager", ""), wrote("kubelet", ""), wrote("operator", "status")}, false, true},
		"made by kubectl before":              {[]metav1.ManagedFieldsEntry{wrote("kubectl-create", ""), applied}, false, false},
		"made by a test before":               {[]metav1.ManagedFieldsEntry{wrote("e2e.test", ""), applied}, false, false},
		"created by us and changed by others": {[]metav1.ManagedFieldsEntry{applied, wrote("e2e.test", "")}, true, true},
		"made anew by somebody else":          {[]metav1.ManagedFieldsEntry{wrote("kubectl-create", "")}, true, false},
		"of nobody":                           {nil, true, false},
	} {
		if got := ours(test.managed, test.created); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
