package kindnodetest

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
)

// Nodes are their names, sorted.
func (c *Cluster) Nodes() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.nodes))
}

// Start runs a container of a pod from what the node has under a name just then, as a
// kubelet that never pulls does. Without that there is no container.
func (c *Cluster) Start(node, namespace, pod, image string) (containerID, imageID string, err error) {
	c.Change(func(n *Node) {
		id, has := n.Find(image)
		if !has {
			err = fmt.Errorf("container image %q is not present with pull policy of Never", image)
			return
		}
		containerID, imageID = fmt.Sprintf("container-%d", c.started.Add(1)), id
		sandbox := namespace + "/" + pod
		n.Containers = append(n.Containers, kindnode.Container{
			ID: containerID, ImageRef: id, Image: image, Created: time.Now(), PodID: sandbox, Namespace: namespace, Pod: pod,
		})
		if !slices.Contains(n.Pods, sandbox) {
			n.Pods = append(n.Pods, sandbox)
		}
	}, node)
	return containerID, imageID, err
}

// Stop takes a pod's containers and its sandbox away.
func (c *Cluster) Stop(node, namespace, pod string) {
	c.Change(func(n *Node) {
		n.Containers = slices.DeleteFunc(n.Containers, func(one kindnode.Container) bool {
			return one.Namespace == namespace && one.Pod == pod
		})
		n.Pods = slices.DeleteFunc(n.Pods, func(sandbox string) bool { return sandbox == namespace+"/"+pod })
	}, node)
}

// Running are the image IDs that the pods of a namespace run, by pod.
func (c *Cluster) Running(namespace string) map[string]string {
	running := map[string]string{}
	c.Change(func(n *Node) {
		for _, one := range n.Containers {
			if one.Namespace == namespace && !one.Exited {
				running[one.Pod] = one.ImageRef
			}
		}
	})
	return running
}
