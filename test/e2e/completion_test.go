package e2e

import (
	"slices"
	"strings"
	"testing"
)

func TestTheShellIsOfferedWhatTheClusterHas(t *testing.T) {
	t.Parallel()
	u, _, _ := tagged(t)
	u.apply(workload("StatefulSet", "store", "localhost/none:none", 0))
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"recorded names": {[]string{"deploy", "-n", u.namespace, ""}, "datastorage"},
		"namespaces":     {[]string{"ref", "-n", u.namespace[:len(u.namespace)-1]}, u.namespace},
		"consumers":      {[]string{"ref", "-n", u.namespace, "--consumer", ""}, "suite"},
		"workloads":      {[]string{"deploy", "-n", u.namespace, "--workload", "st"}, "statefulset/store"},
	} {
		t.Run(name, func(t *testing.T) {
			result := u.try(t.Context(), append([]string{"kubectl-e2eimage", "__complete"}, test.args...)...)
			if lines := strings.Split(result.stdout, "\n"); result.code != 0 || !slices.Contains(lines, test.want) || !slices.Contains(lines, ":4") {
				t.Errorf("exit %d: %s", result.code, result.stdout)
			}
		})
	}
}
