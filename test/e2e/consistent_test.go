package e2e

import (
	"encoding/json"
	"strings"
)

// consistent checks what holds at any time, also after a SIGKILL: an annotation is
// true on every node, and no node has a tag of the record's that the record does
// not name. It tells whether the image is recorded.
func (u *user) consistent(name, imageID string) (recorded bool) {
	u.t.Helper()
	// Nodes first: a tag must be named before it is added and until it is gone.
	owner := u.namespace + "." + u.namespace + "." + name
	owned := onNodes(u.t, "ctr", "-n", "k8s.io", "images", "ls", "-q", `labels."e2eimage.dev/owner"==`+owner)
	has := imagesOn(u.t)
	var listed struct {
		Items []struct {
			Metadata struct{ Annotations map[string]string }
			Data     map[string]string
		}
	}
	text := u.kubectl("get", "configmaps", "-l", "e2eimage.dev/consumer="+u.namespace, "-o", "json")
	if err := json.Unmarshal([]byte(text), &listed); err != nil {
		u.t.Fatal(err)
	}
	image, evidence := "", ""
	for _, item := range listed.Items {
		image, evidence = item.Metadata.Annotations["image.e2eimage.dev/"+name], item.Data[name]
	}
	for _, node := range suite.nodes {
		for _, tag := range strings.Fields(owned[node]) {
			if !strings.Contains(evidence, tag) {
				u.t.Errorf("node %s has %s, which no record names:\n%s", node, tag, evidence)
			}
		}
		if image != "" && has[node][image] != imageID {
			u.t.Errorf("the annotation says %s, which node %s has as %q", image, node, has[node][image])
		}
	}
	return image != ""
}
