package e2e

import (
	"regexp"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ofPod is what a Deployment's pods are called after.
var ofPod = regexp.MustCompile(`^(.*)-[a-z0-9]+-[a-z0-9]+$`)

// check is what must hold after every round.
func (c *chaos) check() {
	c.t.Helper()
	nodes := map[string]nodeSays{}
	for node, asked := range c.nodes {
		says, err := asked.says(c.t.Context())
		if err != nil {
			c.t.Fatalf("node %s: %v", node, err)
		}
		nodes[node] = says
	}
	evidence, live := c.checkRecords(nodes), c.livePods()
	c.checkDeployments()
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
			pod := container.GetLabels()["io.kubernetes.pod.name"]
			deployment := ofPod.FindStringSubmatch(pod)
			if deployment == nil || !live[pod] || container.GetLabels()["io.kubernetes.pod.namespace"] != c.namespace {
				continue
			}
			if want := c.done[deployment[1]]; want != "" && container.GetImageRef() != want {
				c.t.Errorf("on node %s %s runs %s, deploy said %s", node, pod, container.GetImageRef(), want)
			}
		}
	}
}

// checkRecords wants every annotation to be true on every node, and returns the
// evidence by owner.
func (c *chaos) checkRecords(nodes map[string]nodeSays) map[string]string {
	c.t.Helper()
	listed, err := suite.api.CoreV1().ConfigMaps(c.namespace).List(c.t.Context(), metav1.ListOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	evidence := map[string]string{}
	for _, configMap := range listed.Items {
		if configMap.Name == "e2eimage-foreign" && configMap.Data["theirs"] != "kept" {
			c.t.Errorf("a foreign ConfigMap was changed: %v", configMap.Data)
		}
		consumer := configMap.Labels["e2eimage.dev/consumer"]
		if consumer == "" {
			continue
		}
		for name, text := range configMap.Data {
			evidence[c.namespace+"."+consumer+"."+name] = text
			image := configMap.Annotations["image.e2eimage.dev/"+name]
			for node, says := range nodes {
				if id := says.images[image]; image != "" && (id == "" || !strings.Contains(text, "imageID: "+id)) {
					c.t.Errorf("the annotation says %s, which node %s has as %q:\n%s", image, node, id, text)
				}
			}
		}
	}
	return evidence
}

// livePods are those that are not on their way out: a rollout is done before its
// old pods are gone.
func (c *chaos) livePods() map[string]bool {
	c.t.Helper()
	listed, err := suite.api.CoreV1().Pods(c.namespace).List(c.t.Context(), metav1.ListOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	live := map[string]bool{}
	for _, pod := range listed.Items {
		live[pod.Name] = pod.DeletionTimestamp == nil
	}
	return live
}

// checkDeployments wants what is not deploy's to be as it was.
func (c *chaos) checkDeployments() {
	c.t.Helper()
	listed, err := suite.api.AppsV1().Deployments(c.namespace).List(c.t.Context(), metav1.ListOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, deployment := range listed.Items {
		spec := deployment.Spec.Template.Spec
		if spec.Hostname != "theirs" || len(spec.Containers) != 1 || len(spec.Containers[0].Ports) != 1 {
			c.t.Errorf("%s was changed: %v", deployment.Name, spec)
		}
	}
}
