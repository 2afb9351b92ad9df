package e2e

import (
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// engine runs the engine's CLI.
func engine(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), suite.provider, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v: %s", args, err, out)
	}
}

// The tests of this file are not parallel: they take from all what they share.

func TestANodeThatIsPausedOrStopped(t *testing.T) {
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	worker := suite.nodes[2]
	tag := []string{"tag", "datastorage", "--source", source, "--consumer", u.namespace}
	t.Run("before the run it is refused at once", func(t *testing.T) {
		u := &user{t: t, namespace: u.namespace, dir: u.dir, env: u.env}
		engine(t, "pause", worker)
		defer engine(t, "unpause", worker)
		result := u.refused(1, []string{worker + " is paused", suite.provider + " unpause " + worker}, tag...)
		if result.took > soon {
			t.Errorf("it took %s", result.took)
		}
	})
	t.Run("in the middle the timeout holds and names it", func(t *testing.T) {
		u := &user{t: t, namespace: u.namespace, dir: u.dir, env: u.env}
		paused := false
		env := u.env
		u.faultyAPI(func(request string) error {
			if request == "POST configmaps" && !paused {
				paused = true
				engine(t, "pause", worker)
			}
			return nil
		}, func(string) {})
		result := u.e2eimage(append(tag, "--timeout", "5s")...)
		engine(t, "unpause", worker)
		u.env = env
		wantRefused(t, result, 124, "node "+worker, "--timeout=5s", "kubectl e2eimage clean")
		if result.took > time.Minute {
			t.Errorf("it took %s", result.took)
		}
		waitFor(t, "the node's names are those of a record", func() bool { return !u.consistent("datastorage", id) })
		u.e2eimage("clean", "datastorage", "--consumer", u.namespace)
		u.nothingLeft("localhost/datastorage:" + u.namespace)
	})
	t.Run("afterwards all is well", func(t *testing.T) {
		u := &user{t: t, namespace: u.namespace, dir: u.dir, env: u.env}
		u.must(tag...)
		if !u.consistent("datastorage", id) {
			t.Error("nothing is recorded")
		}
	})
}

func TestAnAPIServerThatRestartsDuringTheWait(t *testing.T) {
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
	u.apply(strings.Replace(workload("Deployment", "datastorage", "localhost/none:none", 1), "periodSeconds: 1}", "periodSeconds: 1, initialDelaySeconds: 8}", 1))
	control := suite.nodes[0]
	restarted := false
	env := u.env
	u.faultyAPI(func(string) error { return nil }, func(request string) {
		if request == "PATCH deployments" && !restarted {
			restarted = true
			go onNode(t, control, "sh", "-c", "crictl stop --timeout 0 $(crictl ps --quiet --name kube-apiserver)")
		}
	})
	result := u.e2eimage("deploy", "datastorage")
	u.env = env
	waitFor(t, "the API server is back", func() bool { return u.try(t.Context(), "kubectl", "get", "--raw", "/readyz").code == 0 })
	if result.code != 0 || !restarted {
		t.Fatalf("exit %d (restarted %v): %s", result.code, restarted, result.stderr)
	}
	if u.runs(id) == 0 {
		t.Error("nothing runs")
	}
}

func TestAContainerdThatRestartsBetweenTwoCalls(t *testing.T) {
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	restarted := false
	env := u.env
	u.faultyAPI(func(request string) error {
		if request == "POST configmaps" && !restarted {
			restarted = true
			onNode(t, suite.nodes[1], "systemctl", "restart", "containerd")
		}
		return nil
	}, func(string) {})
	u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
	u.env = env
	if !restarted || !u.consistent("datastorage", id) {
		t.Errorf("restarted %v, but nothing is recorded", restarted)
	}
}

func TestANodeThatIsNotReadyIsNamed(t *testing.T) {
	u, image, _ := tagged(t)
	worker := suite.nodes[2]
	// What a test before did to the node may still be its last word.
	u.kubectl("wait", "node/"+worker, "--for=condition=Ready", "--timeout=90s")
	onNode(t, worker, "systemctl", "stop", "kubelet")
	defer func() {
		onNode(t, worker, "systemctl", "start", "kubelet")
		u.kubectl("wait", "node/"+worker, "--for=condition=Ready", "--timeout=90s")
	}()
	u.apply(withPod(workload("Deployment", "datastorage", "localhost/none:none", 1), "      nodeSelector: {kubernetes.io/hostname: "+worker+"}\n"))
	// What the node controller says by itself after its grace period, 50 s.
	var marking sync.WaitGroup
	defer marking.Wait()
	marking.Go(func() {
		other := &user{t: t, namespace: u.namespace, dir: u.dir, env: u.env}
		waitFor(t, "the pod has its node", func() bool {
			return other.try(t.Context(), "kubectl", "--namespace", u.namespace, "get", "pods", "-o",
				`jsonpath={.items[?(@.spec.containers[0].image=="`+image+`")].spec.nodeName}`).stdout != ""
		})
		other.try(t.Context(), "kubectl", "patch", "node", worker, "--subresource=status", "-p",
			`{"status":{"conditions":[{"type":"Ready","status":"Unknown","reason":"NodeStatusUnknown","message":"Kubelet stopped posting node status."}]}}`)
	})
	result := u.refused(1, []string{"NodeNotReady", "node " + worker, "Kubelet stopped posting node status", "kubectl describe node " + worker}, "deploy", "datastorage", "--timeout", "90s")
	if result.took > 60*time.Second {
		t.Errorf("it took %s", result.took)
	}
	marking.Wait()
	// Pods that come now get no node; each says why.
	u.kubectl("delete", "pods", "--all", "--force")
	u.refused(1, []string{"Unschedulable", worker + ": it is not ready: NodeStatusUnknown", suite.nodes[1] + ": it is not selected"}, "deploy", "datastorage", "--timeout", "90s")
}

func TestANodeThatWasRestarted(t *testing.T) {
	u, _, id := deployed(t, 3)
	worker := suite.nodes[len(suite.nodes)-1]
	engine(t, "restart", worker)
	findProcesses(t.Context())
	u.must("status")
	waitFor(t, "the node is ready again", func() bool {
		return u.kubectl("get", "node", worker, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].status}`) == "True"
	})
	u.must("verify", "--wait")
	u.must("deploy", "datastorage")
	if got := u.runs(id); got != 3 {
		t.Errorf("%d containers run the image", got)
	}
	next := u.image(u.source())
	u.must("tag", "datastorage", "--source", u.source(), "--consumer", u.namespace)
	u.must("deploy", "datastorage")
	if got := u.runs(next); got != 3 {
		t.Errorf("%d containers run the next image", got)
	}
	u.must("load", "datastorage", "--source", "docker-archive:"+u.archive(u.service("localhost/"+u.namespace+"-more:dev")), "--consumer", u.namespace)
}
