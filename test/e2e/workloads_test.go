package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestDeployToStatefulSetsAndDaemonSets(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	image := u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply(workload("StatefulSet", "store", source, 2))
	u.apply(workload("DaemonSet", "agent", source, 0))
	got := u.must("deploy", "datastorage", "--workload", "sts/store", "--workload", u.namespace+"/daemonset/agent")
	if want := "statefulset.apps/store image updated\ndaemonset.apps/agent image updated"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	for _, kind := range []string{"statefulset/store", "daemonset/agent"} {
		if got := u.kubectl("get", kind, "-o", "jsonpath={.spec.template.spec.containers[0].image}"); got != image {
			t.Errorf("%s has %s, want %s", kind, got, image)
		}
	}
	if got := u.runs(id); got < 4 {
		t.Errorf("%d containers run, want 2 of the StatefulSet and one on each worker", got)
	}
}

func TestAPullPolicyThatBypassesTheNodeIsMended(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":latest"
	u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply(strings.Replace(workload("Deployment", "datastorage", source, 1), "imagePullPolicy: Never", "imagePullPolicy: Always", 1))
	u.must("deploy", "datastorage")
	if got := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.spec.template.spec.containers[0].imagePullPolicy}"); got != "Never" {
		t.Errorf("the pull policy is %s", got)
	}
}

func TestOtherContainersAreLeftAlone(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source, other := "localhost/"+u.namespace+":dev", "localhost/"+u.namespace+"-sidecar:dev"
	u.image(source)
	u.image(other)
	image := u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply(workload("Deployment", "datastorage", source, 1) + `
      - name: sidecar
        image: ` + other + `
        args: ["-listen", ":8081"]
        imagePullPolicy: Never
`)
	u.must("deploy", "datastorage")
	if got, want := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.spec.template.spec.containers[*].image}"), image+" "+other; got != want {
		t.Errorf("images are %s, want %s", got, want)
	}
}

func TestAWorkloadOfAnotherConsumer(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "first")
	second := u.must("tag", "datastorage", "--source", source, "--consumer", "second")
	u.apply(workload("Deployment", "datastorage", source, 1))
	u.must("deploy", "datastorage", "--consumer", "first")
	u.refused(3, []string{`deployed by consumer "first"`, "--take-over"}, "deploy", "datastorage", "--consumer", "second")
	u.must("deploy", "datastorage", "--consumer", "second", "--take-over")
	if got := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); got != second {
		t.Errorf("it has %s, want %s", got, second)
	}
}

func TestAMissingWorkloadSuggestsWhatThereIs(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply(workload("Deployment", "datastorage-server", source, 0))
	u.refused(1, []string{"there is no deployment.apps/datastorage", "deployment/datastorage-server", "--workload"}, "deploy", "datastorage")
}

func TestACrashLoopIsGivenUpWithItsLog(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.imageOf(suite.crasher, source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	result := u.refused(1, []string{"CrashLoopBackOff", "exit code 17", `relation "events" does not exist`, "kubectl describe pod"},
		"deploy", "datastorage", "--max-restarts", "1")
	if strings.Contains(result.stderr, "hunter2") {
		t.Errorf("the error tells a password:\n%s", result.stderr)
	}
	if result.took > 90*time.Second {
		t.Errorf("given up only after %s", result.took)
	}
}

func TestNeverReadyTimesOutWithTheReason(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply(strings.Replace(workload("Deployment", "datastorage", source, 1), "path: /readyz, port: 8080", "path: /readyz, port: 9999", 1))
	u.refused(124, []string{"not ready after 12s", "runs but is not ready", "Readiness probe failed"}, "deploy", "datastorage", "--timeout", "12s")
}

func TestNothingRunsNothingIsProved(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply(workload("Deployment", "datastorage", source, 0))
	result := u.e2eimage("deploy", "datastorage")
	if result.code != 0 || !strings.Contains(result.stderr, "nothing could be verified") {
		t.Errorf("exit %d: %s", result.code, result.stderr)
	}
}

func TestAnImageThatANodeLostIsHealed(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	image := u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	renamed, bare := suite.nodes[0], suite.nodes[1]
	onNode(t, renamed, "ctr", "-n", "k8s.io", "images", "rm", image)
	onNode(t, bare, "crictl", "rmi", id)
	u.apply(workload("Deployment", "datastorage", source, 1))
	result := u.e2eimage("deploy", "datastorage")
	if result.code != 0 {
		t.Fatalf("exit %d: %s", result.code, result.stderr)
	}
	has := imagesOn(t)
	for node, how := range map[string]string{renamed: "another name", bare: "from " + suite.nodes[2]} {
		if got := has[node][image]; got != id {
			t.Errorf("node %s has %q as %s", node, got, image)
		}
		if !strings.Contains(result.stderr, "node "+node+" had lost") || !strings.Contains(result.stderr, how) {
			t.Errorf("it is not said that %s was healed %s:\n%s", node, how, result.stderr)
		}
	}
	u.must("clean", "datastorage", "--force")
	for node, has := range imagesOn(t) {
		if has[image] != "" {
			t.Errorf("clean left %s on node %s", image, node)
		}
	}
}

func TestAnImageThatIsGoneFromAllNodesFailsAtOnce(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	image := u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply(workload("Deployment", "datastorage", source, 0))
	onNodes(t, "crictl", "rmi", id)
	result := u.refused(3, []string{image, "node " + suite.nodes[0], "no other node", "kubectl e2eimage tag"}, "deploy", "datastorage")
	if result.took > soon {
		t.Errorf("it took %s", result.took)
	}
}

func TestTheServiceAnswersFromTheRecordedImage(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply(workload("Deployment", "datastorage", source, 1))
	u.must("deploy", "datastorage")
	pod := u.kubectl("get", "pods", "-l", "app=datastorage", "-o", "jsonpath={.items[0].metadata.name}")
	node := u.kubectl("get", "pod", pod, "-o", "jsonpath={.spec.nodeName}")
	ip := u.kubectl("get", "pod", pod, "-o", "jsonpath={.status.podIP}")
	if got := onNode(t, node, "curl", "-fsS", fmt.Sprintf("http://%s:8080/", ip)); !strings.Contains(got, `"service":"datastorage"`) {
		t.Errorf("it answers %q", got)
	}
}

func TestWorkloadsThatCannotBeDeployedTo(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply(workload("Deployment", "two", "localhost/a:1", 0) + "      - {name: other, image: localhost/b:1}\n")
	u.apply(workload("Deployment", "paused", "localhost/a:1", 1))
	u.kubectl("rollout", "pause", "deployment/paused")
	for name, test := range map[string]struct {
		workload string
		code     int
		says     []string
	}{
		"which of two containers?":   {"deployment/two", 1, []string{"deployment.apps/two", "two (localhost/a:1), other (localhost/b:1)", "--container"}},
		"it is paused":               {"deployment/paused", 1, []string{"is paused", "kubectl rollout resume"}},
		"it is of an unknown kind":   {"gizmo/two", 1, []string{"gizmo"}},
		"its namespace is not there": {"nowhere/deployment/two", 1, []string{"nowhere"}},
	} {
		t.Run(name, func(t *testing.T) {
			u := &user{t: t, namespace: u.namespace, dir: u.dir, env: u.env}
			u.refused(test.code, test.says, "deploy", "datastorage", "--workload", test.workload)
		})
	}
	// All of them at once, and the one that could be deployed is left alone, too.
	u.apply(workload("Deployment", "fine", "localhost/a:1", 0))
	u.refused(1, []string{"deployment.apps/two", "is paused", "no deployment.apps/absent"}, "deploy", "datastorage",
		"--workload", "deployment/fine", "--workload", "deployment/two", "--workload", "deployment/paused", "--workload", "deployment/absent")
	if got := u.kubectl("get", "deployment", "fine", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); got != "localhost/a:1" {
		t.Errorf("it was patched: %s", got)
	}
}

func TestOneOfSeveralWorkloadsFails(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply(workload("Deployment", "good", "localhost/none:none", 1))
	u.apply(strings.Replace(workload("Deployment", "bad", "localhost/none:none", 1), "terminationGracePeriodSeconds: 0", "terminationGracePeriodSeconds: 0\n      nodeSelector: {nowhere: \"true\"}", 1))
	result := u.refused(1, []string{"deployment.apps/bad", "Unschedulable", "node affinity/selector"}, "deploy", "datastorage", "--workload", "deployment/good", "--workload", "deployment/bad")
	if strings.Contains(result.stderr, "deployment.apps/good in namespace") || result.took > 60*time.Second {
		t.Errorf("after %s: %s", result.took, result.stderr)
	}
	if u.runs(id) == 0 {
		t.Error("the good one was not deployed")
	}
}

func TestACrashLoopWithinItsLimitIsWaitedFor(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	// It comes up when the node has had its second try: /state outlives restarts.
	u.apply(strings.Replace(workload("Deployment", "datastorage", "localhost/none:none", 1), "        ports:", `        args: ["-fail-first", "/state/tries"]
        volumeMounts: [{name: state, mountPath: /state}]
        ports:`, 1) + "      volumes: [{name: state, emptyDir: {}}]\n")
	u.must("deploy", "datastorage")
	if u.runs(id) == 0 {
		t.Error("nothing runs")
	}
	if got := u.kubectl("get", "pods", "-o", "jsonpath={.items[*].status.containerStatuses[0].restartCount}"); !strings.Contains(got, "1") {
		t.Errorf("it was restarted %q times", got)
	}
}

func TestAnotherContainersImageIsNamedAsTheCause(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply(workload("Deployment", "datastorage", source, 1) + "      - {name: sidecar, image: localhost/nobody-has:this, imagePullPolicy: Never}\n")
	u.refused(1, []string{"ErrImageNeverPull", "sidecar", "localhost/nobody-has:this"}, "deploy", "datastorage")
}

func TestAQuotaThatForbidsThePods(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply("{apiVersion: v1, kind: ResourceQuota, metadata: {name: none}, spec: {hard: {pods: \"0\"}}}")
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	result := u.refused(1, []string{"exceeded quota: none"}, "deploy", "datastorage")
	if result.took > soon {
		t.Errorf("it took %s", result.took)
	}
}

func TestADeploymentThatIsDeletedDuringTheWait(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply(strings.Replace(workload("Deployment", "datastorage", "localhost/none:none", 1), "port: 8080}, period", "port: 9999}, period", 1))
	env, deleted := u.env, false
	// The test must not end before what it began.
	var deleting sync.WaitGroup
	defer deleting.Wait()
	u.faultyAPI(func(string) error { return nil }, func(request string) {
		if request == "PATCH deployments" && !deleted {
			deleted = true
			deleting.Go(func() {
				(&user{t: t, namespace: u.namespace, dir: u.dir, env: env}).try(t.Context(), "kubectl", "--namespace", u.namespace, "delete", "deployment", "datastorage")
			})
		}
	})
	result := u.refused(1, []string{"deployment.apps/datastorage", "deleted"}, "deploy", "datastorage")
	if result.took > soon {
		t.Errorf("it took %s", result.took)
	}
}

// waitFor gives the cluster time to settle what no command of ours waits for.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("still not so: %s", what)
		case <-tick.C:
		}
	}
}
