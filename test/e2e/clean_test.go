package e2e

import (
	"slices"
	"strings"
	"testing"
)

func TestCleanKeepsWhatItIsAskedTo(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	var images []string
	for range 4 {
		u.image(source)
		images = append(images, u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace))
	}
	// Of the first, keepPrevious let go already.
	u.apply(workload("Deployment", "datastorage", images[1], 1))
	u.kubectl("rollout", "status", "deployment/datastorage", "--timeout", "60s")
	if got := u.must("clean", "datastorage", "--older-than", "1h", "--dry-run"); got != "" {
		t.Errorf("nothing is an hour old, but: %s", got)
	}
	u.must("clean", "datastorage", "--keep", "0")
	for node, has := range imagesOn(t) {
		got := slices.Sorted(slices.Values(has.with("datastorage:" + u.namespace)))
		if want := slices.Sorted(slices.Values([]string{images[1], images[3]})); !slices.Equal(got, want) {
			t.Errorf("node %s has %v, want what runs and what is recorded, %v", node, got, want)
		}
	}
	if got := u.must("ref", "datastorage"); got != images[3] {
		t.Errorf("recorded is %s", got)
	}
}

func TestTagsWhoseRecordIsGoneAreFound(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	image := u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
	kept := u.must("tag", "gateway", "--source", source, "--consumer", u.namespace+"-kept")
	u.kubectl("delete", "configmap", "e2eimage-"+u.namespace)
	if got := u.must("clean", "--orphans"); strings.Contains(got, image) {
		t.Errorf("it is not an hour old, but: %s", got)
	}
	if got := u.must("clean", "--orphans", "--older-than", "1ms", "--dry-run"); got != image+" would be removed" {
		t.Errorf("dry run: %s", got)
	}
	u.must("clean", "--orphans", "--older-than", "1ms")
	for node, has := range imagesOn(t) {
		if has[image] != "" || has[kept] == "" {
			t.Errorf("node %s has %v", node, has.with(u.namespace))
		}
	}
}
