package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
)

// A kubelet starts an image that it pulled itself only under the repository that
// it pulled it from (Kubernetes 1.35 on).
func TestAnImageThatTheKubeletPulledItself(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	pulled := fmt.Sprintf("127.0.0.1:%d/team/app", 20000+counter.Add(1))
	archive := filepath.Join(u.dir, "app.tar")
	id, err := kindtest.WriteScratchArchive(archive, pulled+":1", suite.service, kindtest.Scratch{Labels: map[string]string{"build": u.namespace}})
	if err != nil {
		t.Fatal(err)
	}
	for i, node := range suite.nodes {
		dir := node + ":/" + u.namespace
		engine(t, "cp", suite.registry, dir)
		engine(t, "cp", archive, dir+".tar")
		engine(t, "exec", "--detach", node, "/"+u.namespace, "/"+u.namespace+".tar", pulled+":1")
		t.Cleanup(func() { onNode(t, node, "rm", "-f", "/"+u.namespace, "/"+u.namespace+".tar") })
		u.apply(fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: pulls-%d}, spec: {nodeName: %s, terminationGracePeriodSeconds: 0,
  containers: [{name: app, image: "%s:1", imagePullPolicy: IfNotPresent}]}}`, i, node, pulled))
	}
	// A pull that comes before its registry listens is tried again after 10, 20 and 40 seconds.
	u.kubectl("wait", "pods", "--all", "--for=condition=Ready", "--timeout=120s")
	u.refused(3, []string{"pulled " + id[:19] + " itself as " + pulled, "--repository " + pulled},
		"tag", "app", "--source", pulled+":1", "--consumer", u.namespace, "--repository", "localhost/app")
	image := u.must("tag", "app", "--source", pulled+":1", "--consumer", u.namespace)
	if !strings.HasPrefix(image, pulled+":"+u.namespace+"-") {
		t.Errorf("it is recorded as %s", image)
	}
	u.apply(workload("Deployment", "app", "localhost/none:none", 1))
	u.must("deploy", "app")
	if u.runs(id) < 4 {
		t.Error("the Deployment does not run it")
	}
}
