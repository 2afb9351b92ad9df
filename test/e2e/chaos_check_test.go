package e2e

import (
	"encoding/json"
	"regexp"
	"strings"
)

// nodeSays is all that the checks want to know of a node, asked at once.
type nodeSays struct {
	images     images
	owners     map[string]string
	containers []struct {
		ImageRef string
		Labels   map[string]string
	}
}

var (
	ownerOf = regexp.MustCompile(`e2eimage\.dev/owner=([^,\s]*)`)
	// ofPod is what a Deployment's pods are called after.
	ofPod = regexp.MustCompile(`^(.*)-[a-z0-9]+-[a-z0-9]+$`)
)

const ask = `crictl images -o json; echo @@; crictl ps -o json; echo @@; ctr -n k8s.io images ls 'labels."e2eimage.dev/owner"' 2>/dev/null`

// nodesSay asks all nodes.
func (u *user) nodesSay() map[string]nodeSays {
	u.t.Helper()
	all := map[string]nodeSays{}
	for node, out := range onNodes(u.t, "sh", "-c", ask) {
		parts := strings.Split(out, "@@")
		if len(parts) != 3 {
			u.t.Fatalf("node %s says %q", node, out)
		}
		says := nodeSays{images: parseImages(u.t, node, parts[0]), owners: map[string]string{}}
		var listed struct {
			Containers []struct {
				ImageRef string
				Labels   map[string]string
			}
		}
		if err := json.Unmarshal([]byte(parts[1]), &listed); err != nil {
			u.t.Fatalf("node %s: %v", node, err)
		}
		says.containers = listed.Containers
		for line := range strings.Lines(parts[2]) {
			if owner := ownerOf.FindStringSubmatch(line); owner != nil {
				says.owners[strings.Fields(line)[0]] = owner[1]
			}
		}
		all[node] = says
	}
	return all
}

// check is what must hold after every round.
func (c *chaos) check() {
	c.t.Helper()
	nodes := c.nodesSay()
	var listed struct {
		Items []struct {
			Metadata struct {
				Name                string
				Annotations, Labels map[string]string
			}
			Data map[string]string
			Spec struct {
				Template struct{ Spec struct{ Hostname string } }
			}
		}
	}
	if err := json.Unmarshal([]byte(c.kubectl("get", "configmaps,deployments", "-o", "json")), &listed); err != nil {
		c.t.Fatal(err)
	}
	evidence := map[string]string{} // owner → evidence
	for _, item := range listed.Items {
		consumer := item.Metadata.Labels["e2eimage.dev/consumer"]
		for name, text := range item.Data {
			evidence[c.namespace+"."+consumer+"."+name] = text
		}
		for name := range item.Data {
			if image := item.Metadata.Annotations["image.e2eimage.dev/"+name]; image != "" && consumer != "" {
				c.trueEverywhere(nodes, image, item.Data[name])
			}
		}
		switch {
		case item.Metadata.Name == "e2eimage-foreign" && item.Data["theirs"] != "kept":
			c.t.Errorf("a foreign ConfigMap was changed: %v", item.Data)
		case strings.HasPrefix(item.Metadata.Name, "api-") && item.Spec.Template.Spec.Hostname != "theirs":
			c.t.Errorf("%s lost its hostname", item.Metadata.Name)
		}
	}
	for node, says := range nodes {
		for tag, owner := range says.owners {
			if strings.HasPrefix(owner, c.namespace+".") && !strings.Contains(evidence[owner], tag) {
				c.t.Errorf("node %s has %s of %s, which no record names:\n%s", node, tag, owner, evidence[owner])
			}
		}
		if says.images["localhost/"+c.namespace+"-foreign:keep"] == "" {
			c.t.Errorf("node %s lost a foreign image", node)
		}
		for name, id := range c.sources {
			if got := says.images[c.source(name)]; got != id {
				c.t.Errorf("node %s has %q as the source of %s, want %s", node, got, name, id)
			}
		}
		for _, container := range says.containers {
			deployment := ofPod.FindStringSubmatch(container.Labels["io.kubernetes.pod.name"])
			if deployment == nil || container.Labels["io.kubernetes.pod.namespace"] != c.namespace {
				continue
			}
			if want := c.done[deployment[1]]; want != "" && container.ImageRef != want {
				c.t.Errorf("on node %s %s runs %s, deploy said %s", node, container.Labels["io.kubernetes.pod.name"], container.ImageRef, want)
			}
		}
	}
}

func (c *chaos) trueEverywhere(nodes map[string]nodeSays, image, evidence string) {
	c.t.Helper()
	for node, says := range nodes {
		if id := says.images[image]; id == "" || !strings.Contains(evidence, "imageID: "+id) {
			c.t.Errorf("the annotation says %s, which node %s has as %q:\n%s", image, node, id, evidence)
		}
	}
}
