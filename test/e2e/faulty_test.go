package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/faults"
)

// faulty lets things go wrong between this user's plugin and the nodes, which it
// then reaches by exec.
func (u *user) faulty(rules ...faults.Rule) {
	u.t.Helper()
	real, err := exec.LookPath(suite.provider)
	if err != nil {
		u.t.Fatal(err)
	}
	variables, err := faults.Variables(real, rules...)
	if err != nil {
		u.t.Fatal(err)
	}
	u.env = append(slices.Clone(u.env), "PATH="+suite.faulty+":"+suite.bin+":"+os.Getenv("PATH"))
	u.env = append(u.env, variables...)
}

// plugin is the plugin itself, without kubectl: signals then reach it.
func (u *user) plugin(args ...string) *exec.Cmd {
	command := exec.CommandContext(u.t.Context(), filepath.Join(suite.bin, "kubectl-e2eimage"), append([]string{"--namespace", u.namespace}, args...)...)
	command.Env, command.Dir = u.env, u.dir
	return command
}

// faultyAPI is an API server in front of the real one, for this user alone.
func (u *user) faultyAPI(before func(request string) error, after func(request string)) {
	u.t.Helper()
	api, err := faults.NewAPI(suite.kubeconfig, before, after)
	if err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(api.Close)
	file := filepath.Join(u.dir, "faulty.kubeconfig")
	if err := api.WriteKubeconfig(file, suite.cluster); err != nil {
		u.t.Fatal(err)
	}
	u.env = append(slices.Clone(u.env), "KUBECONFIG="+file)
}

func TestNodesAreReachedByExecWhereTheirProcessesAreNotThere(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	u.faulty()
	image := u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
	for node, has := range imagesOn(t) {
		if has[image] != id {
			t.Errorf("node %s has %q as %s", node, has[image], image)
		}
	}
	u.apply(workload("Deployment", "datastorage", source, 1))
	u.must("deploy", "datastorage")
	if got := u.runs(id); got < 1 {
		t.Errorf("%d containers run", got)
	}
	u.must("clean", "datastorage", "--force")
	u.nothingLeft("localhost/datastorage:" + u.namespace)
}
