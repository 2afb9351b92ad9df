package e2e

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The scenario that the project began with.
func TestRetagOnceRecordDeployProve(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/kubernaut-datastorage:e2e-test-datastorage-" + u.namespace
	id := u.image(source)

	image := u.must("tag", "datastorage", "--source", source, "--consumer", "workflowexecution")
	if !regexp.MustCompile(`^localhost/datastorage:workflowexecution-[0-9a-f]{8}$`).MatchString(image) {
		t.Fatalf("tag printed %q", image)
	}
	for node, has := range imagesOn(t) {
		if has[image] != id || has[source] != id {
			t.Errorf("node %s has %q as %s and %q as %s, want both to be %s", node, has[image], image, has[source], source, id)
		}
	}
	for node, owned := range onNodes(t, "ctr", "-n", "k8s.io", "images", "ls", "-q", `labels."e2eimage.dev/owner"==`+u.namespace+`.workflowexecution.datastorage`) {
		if owned != image {
			t.Errorf("on node %s the record owns %q, want %s", node, owned, image)
		}
	}
	annotation := func() string {
		return u.kubectl("get", "configmap", "e2eimage-workflowexecution", "-o", `jsonpath={.metadata.annotations.image\.e2eimage\.dev/datastorage}`)
	}
	if got := annotation(); got != image {
		t.Errorf("the annotation holds %q, want %s", got, image)
	}

	version := u.kubectl("get", "configmap", "e2eimage-workflowexecution", "-o", "jsonpath={.metadata.resourceVersion}")
	if again := u.must("tag", "datastorage", "--source", source, "--consumer", "workflowexecution"); again != image {
		t.Errorf("tagged again it is %s, was %s", again, image)
	}
	if got := u.kubectl("get", "configmap", "e2eimage-workflowexecution", "-o", "jsonpath={.metadata.resourceVersion}"); got != version {
		t.Errorf("tagging again wrote the record: version %s, was %s", got, version)
	}

	u.apply(workload("Deployment", "datastorage", source, 2))
	begun := time.Now()
	if got := u.must("deploy", "datastorage"); got != "deployment.apps/datastorage image updated" {
		t.Errorf("deploy printed %q", got)
	}
	if took := time.Since(begun); took > 100*time.Second {
		t.Errorf("ready only after %s", took)
	}
	if got := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); got != image {
		t.Errorf("the Deployment has %s, want %s", got, image)
	}
	if got := u.runs(id); got < 2 {
		t.Errorf("%d containers run, want 2", got)
	}
	generation := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.metadata.generation}")
	if got := u.must("deploy", "datastorage"); got != "deployment.apps/datastorage unchanged" {
		t.Errorf("deployed again it printed %q", got)
	}
	if got := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.metadata.generation}"); got != generation {
		t.Errorf("deploying again touched it: generation %s, was %s", got, generation)
	}
}

func TestAReplacedImageGetsANewTagAndRollsOut(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	first := u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply(workload("Deployment", "datastorage", source, 1))
	u.must("deploy", "datastorage")

	id := u.image(source)
	second := u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	if second == first {
		t.Fatalf("new content kept the tag %s", first)
	}
	u.must("deploy", "datastorage")
	waitFor(t, "only the new image runs", func() bool {
		return u.kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.containers[0].image}") == second
	})
	u.runs(id)
	if got := u.kubectl("get", "configmap", "e2eimage-suite", "-o", "jsonpath={.data.datastorage}"); !strings.Contains(got, "previous:") || !strings.Contains(got, first) {
		t.Errorf("the record does not remember %s:\n%s", first, got)
	}
}

func TestConsumersDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	consumers := []string{"gateway", "workflowexecution", "signalprocessing", "notification"}
	tags := make([]string, len(consumers))
	var all sync.WaitGroup
	for i, consumer := range consumers {
		all.Go(func() { tags[i] = u.must("tag", "datastorage", "--source", source, "--consumer", consumer) })
	}
	all.Wait()
	onAll := imagesOn(t)
	for i, consumer := range consumers {
		if !strings.HasPrefix(tags[i], "localhost/datastorage:"+consumer+"-") {
			t.Errorf("%s got %s", consumer, tags[i])
		}
		if got := u.must("ref", "datastorage", "--consumer", consumer); got != tags[i] {
			t.Errorf("the record of %s says %s, want %s", consumer, got, tags[i])
		}
		for node, has := range onAll {
			if has[tags[i]] != id {
				t.Errorf("node %s has %q as %s", node, has[tags[i]], tags[i])
			}
		}
	}
	u.must("clean", "datastorage", "--consumer", consumers[0])
	for node, has := range imagesOn(t) {
		for i, tag := range tags {
			if (has[tag] != "") != (i > 0) {
				t.Errorf("after cleaning %s node %s has %q as %s", consumers[0], node, has[tag], tag)
			}
		}
	}
}

func TestManyRunsOfOneConsumerAgreeOnOneTag(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	tags := make([]string, 8)
	var all sync.WaitGroup
	for i := range tags {
		all.Go(func() {
			tags[i] = u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
		})
	}
	all.Wait()
	for _, image := range tags {
		if image != tags[0] {
			t.Errorf("one run printed %s, another %s", image, tags[0])
		}
	}
	for node, has := range imagesOn(t) {
		if got := has.with("localhost/datastorage:" + u.namespace + "-"); !slices.Equal(got, tags[:1]) {
			t.Errorf("node %s has %v, want only %s", node, got, tags[0])
		}
	}
}

func TestResultsForPrograms(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	var tagged struct {
		Images []struct {
			Name, Image, ImageID, Consumer, Namespace string
			Nodes                                     []string
			Changed                                   bool
		}
	}
	if err := json.Unmarshal([]byte(u.must("tag", "datastorage", "--source", source, "--consumer", "suite", "-o", "json")), &tagged); err != nil {
		t.Fatal(err)
	}
	image := tagged.Images[0]
	if image.ImageID != id || !image.Changed || image.Namespace != u.namespace || len(image.Nodes) != len(suite.nodes) {
		t.Errorf("tag -o json says %+v", image)
	}
	env := u.must("ref", "datastorage", "-o", "env", "--output-file", "images.env")
	if env != "" {
		t.Errorf("with --output-file stdout has %q", env)
	}
	shell := u.try(t.Context(), "bash", "-eu", "-c", `. ./images.env && echo "$DATASTORAGE_IMAGE $DATASTORAGE_REPOSITORY:$DATASTORAGE_TAG $DATASTORAGE_ID"`)
	if want := image.Image + " " + image.Image + " " + id + "\n"; shell.stdout != want {
		t.Errorf("a shell reads %q (%s), want %q", shell.stdout, shell.stderr, want)
	}
}
