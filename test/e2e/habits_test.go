package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestLoadTakesImagesAsKindDoes(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	one, two := "localhost/"+u.namespace+"-one:dev", "localhost/"+u.namespace+"-two:dev"
	id := u.inEngine(u.service(one, text("/one", u.namespace)))
	archived := u.service(two, text("/two", u.namespace))
	second, err := archived.ImageID()
	if err != nil {
		t.Fatal(err)
	}
	archive := u.archive(archived)
	if got := u.must("load", one, "docker-archive:"+archive); got != one+"\n"+two {
		t.Errorf("load printed %q", got)
	}
	wantEverywhere(t, one, id)
	wantEverywhere(t, two, second)
	u.refused(2, []string{"it is no NAME of e2eimage.yaml, and no image", "--source IMAGE"}, "load", u.namespace+"-nosuch")
	u.refused(2, []string{"kubectl e2eimage load docker-archive:" + archive}, "load", archive)
	u.refused(2, []string{"--kind-cluster"}, "load", one, "--name", suite.cluster)
}

func TestLoadIntoSomeNodesOnly(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	ref := "localhost/" + u.namespace + ":dev"
	chosen := suite.nodes[len(suite.nodes)-1]
	source := "docker-archive:" + u.archive(u.service(ref, text("/some", u.namespace)))
	u.refused(2, append([]string{"there is no node"}, suite.nodes...), "load", source, "--nodes", chosen+"x")
	result := u.e2eimage("load", source, "--nodes", chosen)
	wantRefused(t, result, 0, "a tag needs it on every node")
	for node, has := range imagesOn(t) {
		if (has[ref] != "") != (node == chosen) {
			t.Errorf("node %s has %q, %s was chosen", node, has[ref], chosen)
		}
	}
	tag := []string{"tag", "datastorage", "--source", ref, "--consumer", u.namespace}
	u.refused(3, []string{"missing on"}, tag...)
	u.must("load", source)
	u.must(tag...)
}

func TestDeployNeedNotWait(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	u.apply(workload("Deployment", "datastorage", source, 1))
	image := u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
	result := u.e2eimage("deploy", "datastorage", "--wait=false")
	wantRefused(t, result, 0, "which image they run", "kubectl e2eimage verify datastorage -n "+u.namespace+" --consumer "+u.namespace+" --wait")
	if result.stdout != "deployment.apps/datastorage image updated\n" {
		t.Errorf("deploy printed %q", result.stdout)
	}
	if got := u.kubectl("get", "deployment/datastorage", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); got != image {
		t.Errorf("the Deployment has %s, recorded is %s", got, image)
	}
	u.must("verify", "datastorage", "--wait")
	// One line, however many use it.
	others := []string{"one", "two", "three", "four"}
	for _, name := range others {
		u.apply(workload("Deployment", name, image, 0))
	}
	left := u.refused(3, []string{image + " is left: in use by 5: ", "; and 2 more"}, "clean", "datastorage")
	if got := strings.Count(left.stderr, image+" is left"); got != 1 {
		t.Errorf("%d lines say what is left:\n%s", got, left.stderr)
	}
	u.kubectl(append([]string{"delete", "deployment", "datastorage"}, others...)...)
	// Pods without grace are gone before their containers are.
	u.must("clean", "datastorage", "--force")
}

func TestCleanAsksForTheNamespaceThatHasJustGone(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source, gone := "localhost/"+u.namespace+":dev", u.namespace+"-went"
	u.image(source)
	u.deletedAfterwards("namespace", gone)
	// The image's name is this test's alone: clean looks at all namespaces that are gone.
	name := u.namespace
	image := u.must("tag", name, "--source", source, "--consumer", u.namespace, "-n", gone, "--create-namespace")
	u.kubectl("delete", "namespace", gone)
	result := u.try(t.Context(), filepath.Join(suite.bin, "kubectl-e2eimage"), "clean", name)
	// Its tags could also be of a load before its namespace.
	wantRefused(t, result, 1, "tags for namespace "+gone+" stay", "kubectl e2eimage clean "+name+" -n "+gone)
	if got := u.must("clean", name, "-n", gone); got != image+" removed" {
		t.Errorf("clean printed %q", got)
	}
	u.nothingLeft(image)
	u.refused(1, []string{"no record of " + name, "kubectl e2eimage status"}, "clean", name)
	u.must("clean", name, "--ignore-not-found")
}

func TestCleanAllIsOneConsumers(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	for _, name := range []string{"one", "two"} {
		u.must("tag", name, "--source", source, "--consumer", u.namespace)
	}
	other := u.must("tag", "one", "--source", source, "--consumer", u.namespace+"-other")
	u.refused(2, []string{"several consumers", "--consumer"}, "clean", "--all")
	u.must("clean", "--all", "--consumer", u.namespace)
	if got := u.must("ref", "one"); got != other {
		t.Errorf("left is %s, want %s", got, other)
	}
	u.must("clean", "--all")
	u.must("clean", "--all")
}
