package e2e

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/faults"
)

// deploySteps are the points of deploy, in their order.
var deploySteps = []step{
	{call: faults.Connect},
	{request: "GET deployments", nth: 1},
	// It is carried out, unless the Deployment's controller was faster.
	{request: "PATCH deployments", nth: 1},
	{request: "PATCH deployments", nth: 1, after: true},
	{call: "RuntimeService/ListContainers"},
}

func TestDeployInterruptedAtAnyStep(t *testing.T) {
	t.Parallel()
	source, id := shared(t)
	atEach(t, deploySteps, func(t *testing.T, u *user, at step) {
		u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
		for _, signal := range at.signals() {
			u.apply(workload("Deployment", "datastorage", "localhost/none:none", 3))
			result := u.interrupted(signal, at, "deploy", "datastorage", "--consumer", u.namespace)
			// What was patched is said, unless it was killed before it could.
			said := "deployment.apps/datastorage image updated\n"
			if u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.spec.template.spec.containers[0].image}") == "localhost/none:none" {
				said = ""
			}
			silenced := signal == syscall.SIGKILL && result.stdout == ""
			if result.code != exits[signal] || result.stdout != said && !silenced {
				t.Errorf("%s: exit %d, printed %q: %s", signal, result.code, result.stdout, result.stderr)
			}
			if !u.consistent("datastorage", id) {
				t.Errorf("%s: the record is gone", signal)
			}
			u.kubectl("delete", "deployment", "datastorage")
		}
		u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
		u.must("deploy", "datastorage")
		if u.runs(id) == 0 {
			t.Error("the next run deployed nothing")
		}
	})
}

// Each object is judged by a dry run first: the second request is the one that counts.
var manifestSteps = []step{
	{request: "PATCH configmaps", nth: 1},
	{request: "PATCH configmaps", nth: 2},
	{request: "PATCH deployments", nth: 2},
	{request: "PATCH deployments", nth: 2, after: true},
}

func TestDeployOfManifestsInterruptedAtAnyStep(t *testing.T) {
	t.Parallel()
	source, id := shared(t)
	atEach(t, manifestSteps, func(t *testing.T, u *user, at step) {
		u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
		u.write("all.yaml", workload("Deployment", "datastorage", "e2eimage://datastorage", 3)+"---\n"+
			`{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}}`)
		deploy := []string{"deploy", "datastorage", "--consumer", u.namespace, "-f", "all.yaml"}
		for _, signal := range at.signals() {
			result := u.interrupted(signal, at, deploy...)
			there := u.kubectl("get", "configmap/settings", "deployment/datastorage", "--ignore-not-found", "-o", "name")
			if signal != syscall.SIGKILL {
				var said []string
				for _, line := range strings.Split(strings.TrimSpace(result.stdout), "\n") {
					said = append(said, strings.TrimSuffix(line, " created"))
				}
				if result.code != exits[signal] || strings.Join(said, "\n") != there {
					t.Errorf("%s: exit %d, made are %q, it says %q: %s", signal, result.code, there, result.stdout, result.stderr)
				}
				if begun := at.nth > 1; begun != strings.Contains(there, "configmap/settings") || begun && strings.HasSuffix(at.request, "deployments") != strings.Contains(there, "deployment.apps/") {
					t.Errorf("%s: made are %q", signal, there)
				}
			}
			if !u.consistent("datastorage", id) {
				t.Errorf("%s: the record is gone", signal)
			}
			u.kubectl("delete", "configmap/settings", "deployment/datastorage", "--ignore-not-found")
		}
		u.must(deploy...)
		// Those of the deleted Deployment may still be ending.
		if got := u.runs(id); got < 3 {
			t.Errorf("the next run deployed %d of 3", got)
		}
	})
}

func TestAnInterruptedDeployTellsHowFarItIs(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.imageOf(suite.crasher, source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	other := &user{t: t, namespace: u.namespace, dir: u.dir, env: u.env}
	result := u.finish(u.plugin("deploy", "datastorage", "--max-restarts", "0"), func(process *os.Process) {
		go func() {
			waitFor(t, "it crashes", func() bool {
				return strings.Contains(other.kubectl("get", "pods", "-o", "jsonpath={.items[*].status.containerStatuses[*].state.waiting.reason}"), "CrashLoopBackOff")
			})
			_ = process.Signal(syscall.SIGINT)
		}()
	})
	wantRefused(t, result, 130, "stopped by SIGINT", "is not rolled out: Interrupted", "exit code 17", `relation "events" does not exist`, "password=***")
}
