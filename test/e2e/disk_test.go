package e2e

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

func TestStatusSaysWhatImagesTakeOnNodes(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.code("code")
	u.wipeHost()
	worker := strings.TrimSuffix(u.source(), ":dev") + "-worker:dev"
	u.write("worker/Dockerfile", "FROM "+u.source()+"\nCOPY more /\n")
	u.write("worker/more", strings.Repeat("more of "+u.namespace, 5000))
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: "+suite.provider+"\nimages:\n"+
		"- {name: datastorage, source: '"+u.source()+"', build: {context: code}}\n"+
		"- {name: worker, source: '"+worker+"', build: {context: worker}}\n")
	for _, verb := range []string{"build", "load", "tag"} {
		u.must(verb)
	}
	var status struct {
		Images []struct {
			Name string
			Disk []struct {
				Node                         string
				BlobBytes, UnsharedBlobBytes int64
			}
		}
	}
	if err := json.Unmarshal([]byte(u.must("status", "-o", "json")), &status); err != nil || len(status.Images) != 2 {
		t.Fatalf("%v: %+v", err, status)
	}
	nodes := onNodes(t, "ctr", "-n", "k8s.io", "content", "ls")
	for _, image := range status.Images {
		if len(image.Disk) != len(nodes) {
			t.Errorf("%s is on %d nodes, want %d", image.Name, len(image.Disk), len(nodes))
		}
		for _, disk := range image.Disk {
			if want := blobsOf(t, disk.Node, nodes[disk.Node], u.lock(u.namespace)[image.Name].ImageID); disk.BlobBytes != want {
				t.Errorf("%s takes %d bytes on %s, want %d", image.Name, disk.BlobBytes, disk.Node, want)
			}
			if image.Name == "worker" && (disk.UnsharedBlobBytes < 50_000 || disk.UnsharedBlobBytes > disk.BlobBytes-1_000_000) {
				t.Errorf("of %d bytes on %s %d are its own", disk.BlobBytes, disk.Node, disk.UnsharedBlobBytes)
			}
		}
	}
	if wide := u.must("status", "-o", "wide"); !strings.Contains(wide, " unshared") {
		t.Errorf("the table is\n%s", wide)
	}
}

// blobsOf adds up the files of an image's blobs: containerd labels its manifests with the rest.
func blobsOf(t *testing.T, node, listing, imageID string) int64 {
	t.Helper()
	named := ""
	for line := range strings.Lines(listing) {
		if strings.Contains(line, "containerd.io/gc.ref.content.config="+imageID) {
			named += line
		}
	}
	var sum int64
	const folder = "/var/lib/containerd/io.containerd.content.v1.content/blobs/sha256"
	for line := range strings.Lines(onNode(t, node, "find", folder, "-type", "f", "-printf", "sha256:%f %s\n")) {
		blob, size, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.Contains(named, blob) {
			continue
		}
		bytes, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += bytes
	}
	return sum
}
