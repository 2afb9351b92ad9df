package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestTheScriptForKubectlIsAsWritten(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.done("completion kubectl")
	golden(t, "completion-kubectl", c.out.String())
}

func TestEveryShellGetsAScript(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "fish", "powershell", "zsh"} {
		c := newConsole(t)
		c.done("completion " + shell)
		if !strings.Contains(c.out.String(), "kubectl-e2eimage") || c.errOut.Len() > 0 {
			t.Errorf("%s: %d bytes, stderr %q", shell, c.out.Len(), c.errOut.String())
		}
	}
}

func TestTheShellIsOfferedWhatFits(t *testing.T) {
	t.Parallel()
	const several = "apiVersion: e2eimage.dev/v1alpha1\nkind: Config\nimages: [{name: datastorage}, {name: gateway}]\n" +
		"suites: [{consumer: x, images: [datastorage]}, {consumer: y, images: [gateway]}]\n"
	some := []string{"other", "some"}
	tests := map[string]struct {
		file, line string
		known      []string
		want       []string
	}{
		"the names of the config":              {twoImagesFile, "tag ", nil, []string{"datastorage", "gateway"}},
		"names that are not given already":     {twoImagesFile, "deploy gateway ", nil, []string{"datastorage"}},
		"the names of the suite":               {several, "ref --consumer y ", nil, []string{"gateway"}},
		"nothing while the suite is not clear": {several, "clean ", nil, nil},
		"nothing without a config":             {"", "tag ", nil, nil},
		"nothing from a damaged config":        {"images: 7", "tag ", nil, nil},
		"the words of a flag":                  {"", "ref -o ", nil, []string{"image", "env", "helm", "kustomize", "json", "yaml", "name"}},
		"the words of --dry-run for deploy":    {"", "deploy --dry-run=", nil, []string{"none", "client", "server"}},
		"the words of --dry-run for tag":       {"", "tag --dry-run=", nil, []string{"none", "client"}},
		"the shells, and kubectl":              {"", "completion ", nil, []string{"bash", "fish", "kubectl", "powershell", "zsh"}},
		"recorded names of the cluster":        {"", "deploy -n x ", some, some},
		"namespaces of the cluster":            {"", "ref -n so", some, []string{"some"}},
		"consumers of the cluster":             {"", "ref --consumer so", some, []string{"some"}},
		"workloads of the cluster":             {"", "deploy --workload so", some, []string{"some"}},
		"workloads of the cluster, for up":     {"", "up --workload so", some, []string{"some"}},
		"nodes of the cluster":                 {"", "load --nodes so", some, []string{"some"}},
		"images to load, behind the names, which the shell drops": {
			twoImagesFile, "load localhost/a:dev localhost/",
			[]string{"localhost/a:dev", "localhost/b:dev", "redis:7"},
			[]string{"datastorage", "gateway", "localhost/b:dev"},
		},
		// For the verb itself, a --source for two images is a mistake.
		"the same behind flags of the verb":     {twoImagesFile, "tag --source localhost/x ", nil, []string{"datastorage", "gateway"}},
		"the same behind other flags of a verb": {twoImagesFile, "up --workload job/x ", nil, []string{"datastorage", "gateway"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.config(test.file)
			c.library.known = test.known
			if diff := cmp.Diff(test.want, c.offered(test.line), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
