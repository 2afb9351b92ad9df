package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
)

func TestExportsSurviveAShell(t *testing.T) {
	value := `it's "a" $HOME \ value`
	script := exports([]kindtest.Variable{{Name: "E2E_A", Value: value}, {Name: "E2E_B", Value: ""}}) + `printf '%s|%s' "$E2E_A" "$E2E_B"`
	out, err := exec.CommandContext(t.Context(), "sh", "-c", script).Output()
	if err != nil || string(out) != value+"|" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestUsageErrorsChangeNothing(t *testing.T) {
	for args, want := range map[string]string{
		"nosuch":                           "unknown command",
		"create":                           "needs a name",
		"create --name x":                  "kubeconfig",
		"create --name x --kubeconfig f x": "unknown command",
		"create --name x --kubeconfig f --workers": "flag needs an argument",
		"delete": "needs a name",
		"create --provider nerdctl --name x --kubeconfig f": "podman or docker",
		"env --provider nerdctl":                            "podman or docker",
	} {
		var stdout, stderr strings.Builder
		if code := run(strings.Fields(args), &stdout, &stderr); code != 1 || stdout.Len() > 0 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", args, code, stdout.String(), stderr.String())
		}
	}
}
