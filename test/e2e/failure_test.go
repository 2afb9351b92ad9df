package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// shim puts a program in front of the engine's CLI that does something else for
// one node and script: failures and delays at an exact point, with everything
// else real. body sees the arguments as "$@" and the real CLI as $real.
func (u *user) shim(script, body string) {
	u.t.Helper()
	real, err := exec.LookPath(suite.provider)
	if err != nil {
		u.t.Fatal(err)
	}
	dir := u.t.TempDir()
	text := fmt.Sprintf("#!/bin/bash\nreal=%s\ncase \" $* \" in *\" %s \"*) %s ;; esac\nexec $real \"$@\"\n", real, script, body)
	if err := os.WriteFile(filepath.Join(dir, suite.provider), []byte(text), 0o755); err != nil {
		u.t.Fatal(err)
	}
	u.env = append(slices.Clone(u.env), "PATH="+dir+":"+suite.bin+":"+os.Getenv("PATH"))
}

// nothingLeft wants no record and no name with part on any node.
func (u *user) nothingLeft(part string) {
	u.t.Helper()
	if got := u.kubectl("get", "configmaps", "-l", "app.kubernetes.io/managed-by=kubectl-e2eimage", "-o", "name"); got != "" {
		u.t.Errorf("left in the cluster: %s: %s", got, u.kubectl("get", "configmaps", "-l", "app.kubernetes.io/managed-by=kubectl-e2eimage", "-o", "yaml"))
	}
	for node, has := range imagesOn(u.t) {
		if got := has.with(part); len(got) > 0 {
			u.t.Errorf("left on node %s: %v", node, got)
		}
	}
}

func TestOneNodeThatFailsUndoesAll(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	bad := suite.nodes[1]
	u.shim("e2eimage-tag", fmt.Sprintf(`case " $* " in *" %s "*) echo "no space left on device" >&2; exit 1 ;; esac`, bad))
	u.refused(1, []string{"node " + bad, "no space left on device"}, "tag", "datastorage", "--source", source, "--consumer", u.namespace)
	u.nothingLeft("localhost/datastorage:" + u.namespace)
}

func TestASourceThatNodesDoNotShare(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	first := u.image(source, suite.nodes[0])
	u.refused(3, []string{suite.nodes[0], "missing on " + suite.nodes[1] + ", " + suite.nodes[2], "load it on every node"},
		"tag", "datastorage", "--source", source, "--consumer", u.namespace)
	second := u.image(source, suite.nodes[1:]...)
	u.refused(3, []string{first[:19] + " on " + suite.nodes[0], second[:19] + " on " + suite.nodes[1]},
		"tag", "datastorage", "--source", source, "--consumer", u.namespace)
	u.nothingLeft("localhost/datastorage:" + u.namespace)
}

func TestATagThatAnotherImageHolds(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source, held := "localhost/"+u.namespace+":dev", "localhost/datastorage:"+u.namespace+"-held"
	u.image(source)
	id := u.image(held, suite.nodes[2])
	u.refused(3, []string{"on node " + suite.nodes[2], held + " is another image already", "--tag"},
		"tag", "datastorage", "--source", source, "--consumer", u.namespace, "--tag", u.namespace+"-held")
	for node, has := range imagesOn(t) {
		if want := map[bool]string{true: id}[node == suite.nodes[2]]; has[held] != want {
			t.Errorf("node %s has %q under the foreign name, want %q", node, has[held], want)
		}
	}
}

func TestInterruptedTagLeavesNothing(t *testing.T) {
	t.Parallel()
	for signal, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			source := "localhost/" + u.namespace + ":dev"
			u.image(source)
			begun := filepath.Join(u.dir, "begun")
			u.shim("e2eimage-tag", fmt.Sprintf(`touch %s; sleep 2`, begun))
			command := exec.CommandContext(t.Context(), filepath.Join(suite.bin, "kubectl-e2eimage"),
				"tag", "datastorage", "--source", source, "--consumer", u.namespace, "--namespace", u.namespace)
			command.Env, command.Dir = u.env, u.dir
			result := u.finish(command, func(process *os.Process) {
				waitFor(t, "tagging has begun", func() bool { _, err := os.Stat(begun); return err == nil })
				if err := process.Signal(signal); err != nil {
					t.Error(err)
				}
			})
			wantRefused(t, result, code, "stopped by")
			u.nothingLeft("localhost/datastorage:" + u.namespace)
		})
	}
}

func TestAKilledTagIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	env := u.env
	begun := filepath.Join(u.dir, "begun")
	u.shim("e2eimage-tag", fmt.Sprintf(`touch %s; sleep 1`, begun))
	command := exec.CommandContext(t.Context(), filepath.Join(suite.bin, "kubectl-e2eimage"),
		"tag", "datastorage", "--source", source, "--consumer", u.namespace, "--namespace", u.namespace)
	command.Env, command.Dir = u.env, u.dir
	u.finish(command, func(process *os.Process) {
		waitFor(t, "tagging has begun", func() bool { _, err := os.Stat(begun); return err == nil })
		_ = process.Kill()
	})
	claim := u.kubectl("get", "configmap", "e2eimage-"+u.namespace, "-o", "jsonpath={.data.datastorage}")
	if !strings.Contains(claim, "state: Pending") {
		t.Fatalf("the claim is not there:\n%s", claim)
	}
	u.env = env
	u.refused(3, []string{"is pending", "kubectl e2eimage tag"}, "ref", "datastorage")
	image := u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
	if !strings.Contains(claim, image) {
		t.Errorf("the next run recorded %s instead of the claimed tag:\n%s", image, claim)
	}
	for node, has := range imagesOn(t) {
		if got := has.with("localhost/datastorage:" + u.namespace); !slices.Equal(got, []string{image}) {
			t.Errorf("node %s has %v", node, got)
		}
	}
}

func TestCleanLeavesWhatRunsAndFreesWhatNobodyNames(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	image := u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
	u.apply(workload("Deployment", "datastorage", source, 1))
	u.must("deploy", "datastorage")
	result := u.e2eimage("clean", "datastorage")
	if result.code != 0 || !strings.Contains(result.stderr, image+" is left") {
		t.Errorf("exit %d: %s", result.code, result.stderr)
	}
	if got := u.must("ref", "datastorage"); got != image {
		t.Errorf("the record is gone with the tag in use: %q", got)
	}
	u.kubectl("delete", "deployment", "datastorage", "--wait")
	waitFor(t, "no container runs", func() bool { return u.kubectl("get", "pods", "-o", "name") == "" })
	onNodes(t, "ctr", "-n", "k8s.io", "images", "rm", source)
	if got := u.must("clean", "datastorage"); !strings.Contains(got, image+" removed") {
		t.Errorf("clean printed %q", got)
	}
	u.nothingLeft("localhost/datastorage:" + u.namespace)
	for node, has := range imagesOn(t) {
		if has.has(id) {
			t.Errorf("the image is still on node %s", node)
		}
	}
	u.refused(1, []string{"no record of datastorage"}, "clean", "datastorage")
}

func TestARecordChangedByHandIsNotBelieved(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
	u.kubectl("annotate", "configmap", "e2eimage-"+u.namespace, "--overwrite", "image.e2eimage.dev/datastorage=localhost/evil:1")
	u.refused(3, []string{"changed by hand", "localhost/evil:1", "kubectl e2eimage clean"}, "ref", "datastorage")
	u.must("clean", "datastorage")
	u.nothingLeft("localhost/datastorage:" + u.namespace)
}
