package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// retagger is a user whose images are built past the plugin.
func retagger(t *testing.T) *user {
	t.Helper()
	u := newUser(t)
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: "+suite.provider+"\nimages:\n- {name: datastorage, source: '"+u.source()+"'}\n")
	return u
}

func TestWhatWasRebuiltButNotLoadedIsNotDeployed(t *testing.T) {
	t.Parallel()
	u := retagger(t)
	first := u.inEngine(u.service(u.source(), text("/version", "1"+u.namespace)))
	u.must("load")
	image := u.must("tag")
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	u.must("deploy")
	second := u.inEngine(u.service(u.source(), text("/version", "2"+u.namespace)))
	short := func(id string) string { return id[:len("sha256:")+12] }
	says := []string{short(first), short(second), "loaded", "ago", "rebuilt, but not loaded", "kubectl e2eimage load datastorage", "--allow-stale"}
	u.refused(3, says, "tag")
	u.refused(3, says, "deploy")
	result := u.e2eimage("deploy", "--allow-stale")
	if result.code != 0 || !strings.Contains(result.stderr, "warning: datastorage") {
		t.Errorf("allowed it is exit %d: %s", result.code, result.stderr)
	}
	u.must("load")
	u.refused(3, []string{image, short(first), short(second), "loaded, but not tagged", "kubectl e2eimage tag datastorage"}, "deploy")
	if next := u.must("tag"); next == image {
		t.Errorf("new content has the old tag %s", next)
	}
	u.must("deploy")
	if got := u.runs(second); got != 1 {
		t.Errorf("%d containers run it", got)
	}
}

func TestAReferenceThatAnotherSuiteOverwroteIsSaid(t *testing.T) {
	t.Parallel()
	u := retagger(t)
	other := u.namespace + "-other"
	u.write("other.yaml", configHead+"consumer: "+other+"\nengine: "+suite.provider+"\nimages:\n- {name: datastorage, source: '"+u.source()+"'}\n")
	u.inEngine(u.service(u.source(), text("/version", "1"+u.namespace)))
	u.must("load")
	u.inEngine(u.service(u.source(), text("/version", "2"+u.namespace)))
	u.must("load", "--config", "other.yaml")
	u.refused(3, []string{"suite " + other + " overwrote the reference", u.source()}, "tag")
	// Its own content is still there, under its ID.
	image := u.must("tag", "--allow-stale")
	wantEverywhere(t, image, u.lock(u.namespace)["datastorage"].ImageID)
	if theirs := u.must("tag", "--config", "other.yaml"); theirs == image {
		t.Errorf("both have %s", image)
	}
	wantEverywhere(t, image, u.lock(u.namespace)["datastorage"].ImageID)
}

func TestLockAndClusterThatWentDifferentWaysAreBothNamed(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	u.must("build")
	u.must("load")
	ours := u.must("tag")
	// Somebody else records other content for the same consumer.
	elsewhere := &user{t: t, namespace: u.namespace, dir: tempDir(t), env: u.env}
	id := elsewhere.image("localhost/" + u.namespace + "-elsewhere:dev")
	theirs := elsewhere.must("tag", "datastorage", "--source", "localhost/"+u.namespace+"-elsewhere:dev", "--consumer", u.namespace)
	says := []string{"lock and cluster disagree", ours, theirs, "--use=lock", "--use=cluster", "ago"}
	u.refused(3, says, "deploy")
	u.refused(3, says, "tag")
	if got := u.must("tag", "--use=cluster"); got != theirs {
		t.Errorf("the cluster's is %s, got %s", theirs, got)
	}
	if got := u.lock(u.namespace)["datastorage"]; got.Image != theirs || got.ImageID != id {
		t.Errorf("the lock says %+v", got)
	}
	u.must("build")
	u.must("load")
	if got := u.must("tag"); got == theirs {
		t.Errorf("built again it is still %s", got)
	}
}

func TestATreeThatChangedSinceTheBuildIsSaid(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	u.must("build")
	u.must("load")
	u.write("code/build", "second of "+u.namespace)
	result := u.e2eimage("tag")
	if result.code != 0 || !strings.Contains(strings.Join(strings.Fields(result.stderr), " "), "changed since it was built") {
		t.Errorf("exit %d: %s", result.code, result.stderr)
	}
	config := filepath.Join(u.dir, "e2eimage.yaml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	u.write("e2eimage.yaml", string(text)+"freshness: strict\n")
	u.refused(3, []string{"changed since it was built", "kubectl e2eimage build datastorage"}, "tag")
	u.write("e2eimage.yaml", string(text)+"freshness: off\n")
	if result := u.e2eimage("tag"); result.code != 0 || strings.Contains(result.stderr, "changed since") {
		t.Errorf("off, exit %d: %s", result.code, result.stderr)
	}
}

func TestWhatWasBuiltButNotLoadedIsNotTagged(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	image := u.must("build")
	u.refused(3, []string{"it was not loaded", "kubectl e2eimage load datastorage"}, "tag")
	u.must("load")
	u.must("tag")
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	u.must("deploy")
	u.write("code/build", "second of "+u.namespace)
	second := u.must("build")
	u.refused(3, []string{image, "built, but not loaded", "kubectl e2eimage load datastorage", "&& kubectl e2eimage tag datastorage"}, "deploy")
	if second == image {
		t.Errorf("both builds have %s", image)
	}
}
