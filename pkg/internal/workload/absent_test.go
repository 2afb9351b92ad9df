package workload

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSuggestions(t *testing.T) {
	t.Parallel()
	there := []reference{
		{"e2e", deployment, "notification-controller"},
		{"e2e", deployment, "datastorage-server"},
		{"e2e", deployment, "datastorag"},
		{"e2e", statefulSet, "postgres"},
		{"e2e", daemonSet, "datastorage"},
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
			got := suggestions(reference{"e2e", deployment, test.wanted}, there)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
