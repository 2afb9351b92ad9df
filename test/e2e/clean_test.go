package e2e

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
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
		got := slices.Sorted(slices.Values(has.with("datastorage:" + u.namespace + "-")))
		if want := slices.Sorted(slices.Values([]string{images[1], images[3]})); !slices.Equal(got, want) {
			t.Errorf("node %s has %v, want what runs and what is recorded, %v", node, got, want)
		}
	}
	if got := u.must("ref", "datastorage"); got != images[3] {
		t.Errorf("recorded is %s", got)
	}
}

func TestCleanSaysHowMuchDiskCameBackOnEachNode(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	// A layer that no other image has.
	const size = 3_000_000
	archive := filepath.Join(u.dir, "own.tar")
	_, err := kindtest.WriteScratchArchive(archive, source, suite.service, kindtest.Scratch{
		Layers: [][]kindtest.ScratchFile{{{Path: "/own", Content: bytes.Repeat([]byte(u.namespace), size/len(u.namespace))}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	importArchive(t, archive)
	image := u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
	onNodes(t, "ctr", "-n", "k8s.io", "images", "rm", source)
	manifest := map[string]string{}
	for node, line := range onNodes(t, "ctr", "-n", "k8s.io", "images", "ls", "name=="+image) {
		fields := strings.Fields(line[strings.LastIndexByte(line, '\n')+1:])
		manifest[node] = fields[2]
	}
	var result struct {
		Disk []struct {
			Node  string
			Bytes int64
		}
	}
	if err := json.Unmarshal([]byte(u.must("clean", "datastorage", "-o", "json")), &result); err != nil {
		t.Fatal(err)
	}
	// Packed and unpacked. Others may free something at the same time.
	for _, disk := range result.Disk {
		if disk.Bytes < 2*size*9/10 {
			t.Errorf("node %s: %d bytes came back, its layer alone has twice %d", disk.Node, disk.Bytes, size)
		}
	}
	if len(result.Disk) != len(suite.nodes) {
		t.Errorf("it came back on %+v", result.Disk)
	}
	for node, blobs := range onNodes(t, "ctr", "-n", "k8s.io", "content", "ls", "-q") {
		if strings.Contains(blobs, manifest[node]) {
			t.Errorf("node %s still has %s", node, manifest[node])
		}
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
	// What cannot be read keeps its tags, and keeps nobody else's.
	u.kubectl("annotate", "--overwrite", "configmap", "e2eimage-"+u.namespace+"-kept", "image.e2eimage.dev/gateway=localhost/x:y")
	u.must("clean", "--orphans", "--older-than", "1ms")
	for node, has := range imagesOn(t) {
		if has[image] != "" || has[kept] == "" {
			t.Errorf("node %s has %v", node, has.with(u.namespace))
		}
	}
}
