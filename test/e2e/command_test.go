package e2e

import (
	"slices"
	"strings"
	"testing"
)

// made is a user whose image is built by make, under the name that the Makefile is told.
func made(t *testing.T) *user {
	t.Helper()
	u := newUser(t)
	u.code("code")
	u.write("make.sh", buildScript())
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: "+suite.provider+"\nimages:\n- name: datastorage\n"+
		"  repository: localhost/"+u.namespace+"\n  build: {command: [sh, make.sh, '{{.Image}}'], context: code}\n")
	u.wipeHost()
	return u
}

func TestACommandBuildsTheDecidedImage(t *testing.T) {
	t.Parallel()
	u := made(t)
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	first := u.must("up")
	wantEverywhere(t, first, u.lock(u.namespace)["datastorage"].ImageID)
	if image := u.kubectl("get", "pods", "-o", "jsonpath={.items[0].spec.containers[0].image}"); image != first {
		t.Errorf("the pod has %s, want %s", image, first)
	}
	if again := u.must("build"); again != first {
		t.Errorf("built again it is %s, want %s", again, first)
	}
	if names := u.onHost(t.Context(), u.namespace); !slices.Equal(names, []string{first}) {
		t.Errorf("the engine has %v, want %s alone", names, first)
	}
	u.write("code/build", "second of "+u.namespace)
	second := u.must("up")
	if got := u.answers("datastorage"); !slices.Equal(got, []string{"second of " + u.namespace}) || second == first {
		t.Errorf("%s after %s: pods say %v", second, first, got)
	}
	// A command that breaks after it has named the image leaves nothing of it.
	u.write("code/build", "third of "+u.namespace)
	u.write("make.sh", buildScript()+"exit 7\n")
	result := u.e2eimage("build")
	if result.code != 1 || !strings.Contains(result.stderr, "exit code 7") {
		t.Errorf("exit %d: %s", result.code, result.stderr)
	}
	names := u.onHost(t.Context(), u.namespace)
	slices.Sort(names)
	want := []string{first, second}
	if slices.Sort(want); !slices.Equal(names, want) {
		t.Errorf("the engine has %v, want %v", names, want)
	}
}
