package e2e

import (
	"strings"
	"testing"
	"time"
)

// Without a probe a pod counts as ready whenever its program runs for a moment.
func TestACrashLoopIsNotTakenForReady(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.imageOf(suite.crasher, source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	manifest := workload("Deployment", "datastorage", "e2eimage://datastorage", 1)
	manifest = manifest[:strings.Index(manifest, "        readinessProbe:")]
	u.write("d.yaml", manifest)
	// How long a program takes to crash at first, nobody knows; once it was restarted
	// it has to stay up.
	if first := u.e2eimage("deploy", "datastorage", "--max-restarts", "2", "-f", "d.yaml"); first.stdout != "deployment.apps/datastorage created\n" {
		t.Errorf("what was applied is not said: %q", first.stdout)
	}
	waitFor(t, "it was restarted", func() bool {
		return u.kubectl("get", "pods", "-o", "jsonpath={.items[*].status.containerStatuses[0].restartCount}") != "0"
	})
	for range 2 {
		result := u.refused(1, []string{"CrashLoopBackOff", "last exit code 17"}, "deploy", "datastorage", "--max-restarts", "2")
		if result.took > 100*time.Second {
			t.Errorf("it took %s", result.took)
		}
	}
}

func TestVerifyWaitsForWhateverUsesTheImages(t *testing.T) {
	t.Parallel()
	u, image, _ := tagged(t)
	u.apply(strings.Replace(workload("Deployment", "web", image, 1), "periodSeconds: 1}", "periodSeconds: 1, initialDelaySeconds: 4}", 1))
	u.apply(workload("ReplicaSet", "alone", image, 1))
	u.must("verify", "--wait")
	if got := u.must("status", "-o", "wide"); !strings.Contains(got, "deployment/web 1/1") || !strings.Contains(got, "replicaset/alone 1/1") || strings.Contains(got, "pod/") {
		t.Errorf("status says\n%s", got)
	}
	u.image("localhost/" + u.namespace + ":dev")
	u.must("tag", "datastorage", "--source", "localhost/"+u.namespace+":dev", "--consumer", "suite")
	result := u.e2eimage("verify")
	if result.code != 3 || !strings.Contains(strings.Join(strings.Fields(result.stdout), " "), "mend it: kubectl e2eimage deploy datastorage -n "+u.namespace+" --workload deployment/web") {
		t.Errorf("exit %d: %s", result.code, result.stdout)
	}
}
