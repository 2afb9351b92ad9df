package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

func TestTheShellIsOfferedWhatTheClusterHas(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"deploy -n x", "ref -n", "ref --consumer", "deploy --workload", "up --workload", "load --nodes"} {
		c := newConsole(t)
		c.library.known = []string{"other", "some"}
		begun := ""
		if line != "deploy -n x" {
			begun = "so"
		}
		if code := c.runArgs(t.Context(), append([]string{"__complete"}, append(strings.Fields(line), begun)...)...); code != exitDone {
			t.Fatalf("exit code %d\n%s", code, c.errOut.String())
		}
		if got := c.out.String(); !strings.HasPrefix(strings.TrimPrefix(got, "other\n"), "some\n:4") || begun != "" && strings.Contains(got, "other") {
			t.Errorf("%s: %q", line, got)
		}
	}
}

func TestTheShellIsOfferedImagesToLoad(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.write("e2eimage.yaml", twoImagesFile)
	c.library.known = []string{"localhost/a:dev", "localhost/b:dev", "redis:7"}
	c.done("__complete load localhost/a:dev localhost/")
	if got := c.out.String(); !strings.Contains(got, "localhost/b:dev\n") || strings.Contains(got, "localhost/a:dev") || strings.Contains(got, "redis") {
		t.Errorf("%q", got)
	}
}

func TestTheShellIsOfferedWhatFits(t *testing.T) {
	t.Parallel()
	const several = "apiVersion: e2eimage.dev/v1alpha1\nkind: Config\nimages: [{name: datastorage}, {name: gateway}]\n" +
		"suites: [{consumer: x, images: [datastorage]}, {consumer: y, images: [gateway]}]\n"
	tests := map[string]struct {
		file string
		args []string
		want []string
	}{
		"the names of the config":              {twoImagesFile, []string{"tag", ""}, []string{"datastorage", "gateway"}},
		"names that are not given already":     {twoImagesFile, []string{"deploy", "gateway", ""}, []string{"datastorage"}},
		"the names of the suite":               {several, []string{"ref", "--consumer", "y", ""}, []string{"gateway"}},
		"nothing while the suite is not clear": {several, []string{"clean", ""}, nil},
		"nothing without a config":             {"", []string{"tag", ""}, nil},
		"nothing from a damaged config":        {"images: 7", []string{"tag", ""}, nil},
		"the words of a flag":                  {"", []string{"ref", "-o", ""}, []string{"image", "env", "helm", "kustomize", "json", "yaml", "name"}},
		"the words of --dry-run for deploy":    {"", []string{"deploy", "--dry-run="}, []string{"none", "client", "server"}},
		"the shells, and kubectl":              {"", []string{"completion", ""}, []string{"bash", "fish", "kubectl", "powershell", "zsh"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			if test.file != "" {
				c.write("e2eimage.yaml", test.file)
			}
			if code := c.runArgs(t.Context(), append([]string{"__complete"}, test.args...)...); code != exitDone {
				t.Fatalf("exit code %d\n%s", code, c.errOut.String())
			}
			var offered []string
			for _, line := range strings.Split(strings.TrimSpace(c.out.String()), "\n") {
				if !strings.HasPrefix(line, ":") {
					offered = append(offered, line)
				}
			}
			if diff := cmp.Diff(test.want, offered); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !strings.Contains(c.out.String(), ":4") {
				t.Errorf("file names are offered:\n%s", c.out.String())
			}
		})
	}
}
