package cli

import (
	"strings"
	"testing"
)

func TestMistypedCommandLinesGetASuggestion(t *testing.T) {
	t.Parallel()
	for line, says := range map[string]string{
		"delete a":                          "did you mean: kubectl e2eimage clean",
		"rm a":                              "did you mean: kubectl e2eimage clean",
		"remove a":                          "did you mean: kubectl e2eimage clean",
		"push a":                            "did you mean: kubectl e2eimage load",
		"apply a":                           "did you mean: kubectl e2eimage deploy",
		"get":                               "did you mean: kubectl e2eimage status",
		"list":                              "did you mean: kubectl e2eimage status",
		"ls":                                "did you mean: kubectl e2eimage status",
		"diff":                              "did you mean: kubectl e2eimage verify",
		"check":                             "did you mean: kubectl e2eimage verify",
		"stauts":                            "did you mean: kubectl e2eimage status",
		"help deply":                        "did you mean: kubectl e2eimage deploy",
		"load localhost/x --name dev":       "the Kind cluster's name is --kind-cluster here",
		"load localhost/x --kube-context a": "the kube context is --context here",
		"load --image localhost/x":          "kubectl e2eimage load IMAGE",
		"tag a --image localhost/x":         "the image is --source here",
		"tag a --nodes dev-worker":          "load has it",
		"render --workload deployment/a":    "deploy, up have it",
		"tag a --sorce x":                   "did you mean --source?",
		"tag a --namespce x":                "did you mean --namespace?",
		"deploy a --dryrun":                 "did you mean --dry-run?",
		"tag a -f x":                        "tag has no flag -f; deploy, render, up have it",
		"deploy a --wait=maybe":             `--wait: "maybe" is not valid: it must be true or false`,
		"tag a -o xml":                      `--output: "xml" is not valid: it must be one of`,
		"clean a --keep some":               `--keep: "some" is not valid: it must be a number from 0 on`,
		"tag a --timeout soon":              `--timeout: "soon" is not valid: it must be a duration like 90s or 5m`,
		"tag a -v loud":                     `-v: "loud" is not valid: it must be a number`,
		"tag a --source":                    "--source needs a value, as in --source=VALUE",
		"tag a -n":                          "--namespace needs a value",
		"tag a ---x":                        `"---x" is no flag`,
		"clean a --orphans --keep 1":        "--keep and --orphans cannot be given together",
		"deploy --all":                      "without NAME it takes every image of the suite in e2eimage.yaml",
		"clean a --all":                     "--all takes no NAME",
		"tag Data":                          `"Data" must be`,
		"tag a b --source x":                "--source: needs exactly one NAME",
		"version now":                       `kubectl e2eimage version takes no argument, but got "now"`,
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.fails(line, exitUsage, says, "\nsee: kubectl e2eimage ")
			if c.library.calls() > 0 {
				t.Errorf("%d calls of the library", c.library.calls())
			}
			for _, raw := range []string{"strconv", "unknown flag", "flags in the group", "invalid argument"} {
				if strings.Contains(c.errOut.String(), raw) {
					t.Errorf("%q is a library's word:\n%s", raw, c.errOut.String())
				}
			}
		})
	}
}

func TestCleanAndDeployTakeTheirFlags(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.done("clean --all --consumer suite -n tests")
	c.done("clean a --ignore-not-found")
	c.done("deploy a --wait=false")
	c.done("deploy a")
	if in := c.library.clean[0]; !in.All || in.IgnoreNotFound || in.Suite.Consumer != "suite" {
		t.Errorf("--all: %+v", in)
	}
	if in := c.library.clean[1]; in.All || !in.IgnoreNotFound {
		t.Errorf("--ignore-not-found: %+v", in)
	}
	if !c.library.deploy[0].NoWait || c.library.deploy[1].NoWait {
		t.Error("--wait=false does not decide whether deploy waits")
	}
}
