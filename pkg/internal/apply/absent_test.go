package apply

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

func TestSuggestions(t *testing.T) {
	t.Parallel()
	there := []kube.Reference{
		{Namespace: "e2e", Kind: kube.Deployment, Name: "notification-controller"},
		{Namespace: "e2e", Kind: kube.Deployment, Name: "datastorage-server"},
		{Namespace: "e2e", Kind: kube.Deployment, Name: "datastorag"},
		{Namespace: "e2e", Kind: kube.StatefulSet, Name: "postgres"},
		{Namespace: "e2e", Kind: kube.DaemonSet, Name: "datastorage"},
	}
	for _, test := range []struct {
		name, wanted string
		want         []string
	}{
		{"the same name in another kind, then few letters, then parts", "datastorage", []string{"daemonset/datastorage", "deployment/datastorag", "deployment/datastorage-server"}},
		{"part of a name", "notification", []string{"deployment/notification-controller"}},
		{"nothing is alike, so all there is", "zzz", []string{
			"deployment/notification-controller", "deployment/datastorage-server", "deployment/datastorag", "statefulset/postgres", "daemonset/datastorage",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := suggestions(kube.Reference{Namespace: "e2e", Kind: kube.Deployment, Name: test.wanted}, there)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
