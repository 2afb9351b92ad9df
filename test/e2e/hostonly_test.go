package e2e

import (
	"os"
	"slices"
	"testing"
)

func TestASuiteForTheHostNeedsNoCluster(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.code("code")
	u.wipeHost()
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: "+suite.provider+"\nimages:\n"+
		"- {name: gather, hostOnly: true, repository: 'localhost/"+u.namespace+"', build: {context: code}}\n")
	u.env = append(without(without(u.env, "KUBECONFIG"), "E2EIMAGE_KIND_CLUSTER"), "KUBECONFIG="+os.DevNull)
	image := u.must("build")
	for _, verb := range []string{"up", "ref"} {
		if got := u.must(verb); got != image {
			t.Errorf("%s says %s, want %s", verb, got, image)
		}
	}
	if names := u.onHost(t.Context(), u.namespace); !slices.Equal(names, []string{image}) {
		t.Errorf("the engine has %v, want %s", names, image)
	}
	u.refused(2, []string{`["gather"]: hostOnly images go into no cluster`}, "load")
	u.must("clean", "--scope=host")
	if names := u.onHost(t.Context(), u.namespace); len(names) > 0 {
		t.Errorf("after clean the engine has %v", names)
	}
}
