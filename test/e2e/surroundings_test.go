package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// deployed is a user with a Deployment that runs the recorded image.
func deployed(t *testing.T, replicas int) (u *user, image, id string) {
	t.Helper()
	u = newUser(t)
	id = u.image(u.source())
	image = u.must("tag", "datastorage", "--source", u.source(), "--consumer", u.namespace)
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", replicas))
	u.must("deploy", "datastorage")
	return u, image, id
}

func TestADeploymentThatAnAutoscalerScales(t *testing.T) {
	t.Parallel()
	u, _, _ := deployed(t, 1)
	u.apply(`
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: datastorage}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: datastorage}
  minReplicas: 2
  maxReplicas: 3
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
`)
	id := u.image(u.source())
	u.must("tag", "datastorage", "--source", u.source(), "--consumer", u.namespace)
	u.must("deploy", "datastorage")
	waitFor(t, "the autoscaler has scaled", func() bool {
		return u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.spec.replicas}") == "2"
	})
	u.must("verify", "--wait")
	if got := u.runs(id); got != 2 {
		t.Errorf("%d containers run the new image", got)
	}
	// Who deploys again does not undo what the autoscaler has done.
	u.must("deploy", "datastorage")
	if got := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.spec.replicas}"); got != "2" {
		t.Errorf("deployed again it has %s replicas", got)
	}
}

func TestAnEphemeralContainerIsNobodysProof(t *testing.T) {
	t.Parallel()
	u, image, _ := deployed(t, 1)
	other := "localhost/" + u.namespace + "-debugger:dev"
	u.image(other)
	debugger := u.must("tag", "debugger", "--source", other, "--consumer", u.namespace)
	pod := u.kubectl("get", "pods", "-l", "app=datastorage", "-o", "jsonpath={.items[0].metadata.name}")
	patch := fmt.Sprintf(`{"spec":{"ephemeralContainers":[{"name":"debugger","image":%q,"imagePullPolicy":"Never","args":["-listen",":8081"]}]}}`, debugger)
	u.kubectl("patch", "pod", pod, "--subresource=ephemeralcontainers", "--type=strategic", "-p", patch)
	waitFor(t, "the debugger was started", func() bool {
		return strings.Contains(u.kubectl("get", "pod", pod, "-o", "jsonpath={.status.ephemeralContainerStatuses[*].imageID}"), "sha256")
	})
	if got := u.states()["datastorage"]; got != "Consistent" {
		t.Errorf("with a debugger in its pod the image is %s", got)
	}
	u.must("deploy", "datastorage")
	// What a debugger runs is in use.
	cleaned := u.e2eimage("clean", "debugger", "--consumer", u.namespace)
	for node, has := range imagesOn(t) {
		if len(has.with(debugger)) == 0 && node == u.kubectl("get", "pod", pod, "-o", "jsonpath={.spec.nodeName}") {
			t.Errorf("%s was taken from %s under the debugger: %s%s%s", debugger, node, cleaned.stdout, cleaned.stderr, u.kubectl("get", "pod", pod, "-o", "jsonpath={.status.ephemeralContainerStatuses}"))
		}
	}
	wantEverywhere(t, image, u.recordedID("datastorage"))
}

// recordedID is the image ID that the record has.
func (u *user) recordedID(name string) string {
	u.t.Helper()
	var result struct {
		Images []struct{ Name, ImageID string }
	}
	if err := json.Unmarshal([]byte(u.must("ref", name, "-o", "json", "--consumer", u.namespace)), &result); err != nil || len(result.Images) != 1 {
		u.t.Fatalf("%v: %+v", err, result)
	}
	return result.Images[0].ImageID
}

func TestAClusterWhoseCredentialsAProgramGives(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.image(u.source())
	u.kubectl("create", "serviceaccount", "program")
	u.kubectl("create", "rolebinding", "program", "--clusterrole", "admin", "--serviceaccount", u.namespace+":program")
	u.kubectl("create", "clusterrolebinding", u.namespace, "--clusterrole", "view", "--serviceaccount", u.namespace+":program")
	admin := *u
	t.Cleanup(func() {
		admin.try(context.WithoutCancel(t.Context()), "kubectl", "delete", "clusterrolebinding", u.namespace)
	})
	credential := fmt.Sprintf(`{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":%q}}`, u.kubectl("create", "token", "program"))
	u.write("bin/credential", "#!/bin/sh\necho '"+credential+"'\n")
	program := filepath.Join(u.dir, "bin", "credential")
	if err := os.Chmod(program, 0o755); err != nil {
		t.Fatal(err)
	}
	u.actAs("program")
	name := u.kubectl("config", "view", "-o", "jsonpath={.users[0].name}")
	u.kubectl("config", "delete-user", name)
	u.kubectl("config", "set-credentials", name, "--exec-api-version=client.authentication.k8s.io/v1", "--exec-command="+program, "--exec-interactive-mode=Never")
	u.must("tag", "datastorage", "--source", u.source(), "--consumer", u.namespace)
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	u.must("deploy", "datastorage")
	u.must("verify")
	u.write("bin/credential", "#!/bin/sh\necho 'log in first' >&2\nexit 1\n")
	u.refused(1, []string{"credential"}, "status")
}

func TestAProxyThatDoesNotAnswerIsNotAsked(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	const nobody = "http://127.0.0.1:9"
	u.env = append(u.env, "HTTP_PROXY="+nobody, "HTTPS_PROXY="+nobody, "ALL_PROXY="+nobody, "http_proxy="+nobody, "https_proxy="+nobody, "NO_PROXY=", "no_proxy=")
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	u.must("up")
	u.must("verify")
}
