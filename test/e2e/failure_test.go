package e2e

import (
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/faults"
)

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
	u.faulty(faults.Rule{Call: "Images/Create", Node: bad, Fail: "no space left on device"})
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

func TestCleanLeavesWhatRunsAndFreesWhatNobodyNames(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	image := u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
	u.apply(workload("Deployment", "datastorage", source, 1))
	u.must("deploy", "datastorage")
	result := u.e2eimage("clean", "datastorage")
	if result.code != 3 || !strings.Contains(result.stderr, image+" is left") {
		t.Errorf("exit %d: %s", result.code, result.stderr)
	}
	if got := u.must("ref", "datastorage"); got != image {
		t.Errorf("the record is gone with the tag in use: %q", got)
	}
	u.kubectl("delete", "deployment", "datastorage", "--wait")
	// The nodes, not the API server, which forgets a pod without a grace period at
	// once.
	waitFor(t, "no pod runs on a node", func() bool {
		for _, pods := range onNodes(t, "crictl", "pods", "--quiet", "--state", "ready", "--namespace", u.namespace) {
			if pods != "" {
				return false
			}
		}
		return true
	})
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
