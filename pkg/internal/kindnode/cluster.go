package kindnode

import (
	"fmt"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

// Cluster is a Kind cluster that was found.
type Cluster struct {
	Name     string
	Provider string
	// Nodes are the Kubernetes nodes by name, without the load balancer of a
	// HA cluster.
	Nodes []Node

	runner  hostexec.Runner
	clients clients
}

// Node is one node container.
type Node struct {
	Name  string
	Role  string
	State string
	// Image that the container was made from, as the engine calls it.
	Image string

	// id of the container, and the PID of its first process where known.
	id  string
	pid int
}

// Running tells whether commands can be run in the node.
func (n Node) Running() bool { return n.State == "running" }

// Names returns the cluster's node names, sorted.
func (c *Cluster) Names() []string {
	names := make([]string, 0, len(c.Nodes))
	for _, node := range c.Nodes {
		names = append(names, node.Name)
	}
	return names
}

// node returns the node of that name.
func (c *Cluster) node(name string) Node {
	for _, node := range c.Nodes {
		if node.Name == name {
			return node
		}
	}
	return Node{Name: name}
}

// checkRunning is an error unless all nodes run.
func (c *Cluster) checkRunning() error {
	var stopped, mend []string
	for _, node := range c.Nodes {
		if node.Running() {
			continue
		}
		stopped = append(stopped, fmt.Sprintf("%s is %s", node.Name, node.State))
		verb := "start"
		if node.State == "paused" {
			verb = "unpause"
		}
		mend = append(mend, fmt.Sprintf("%s %s %s", c.Provider, verb, node.Name))
	}
	if len(stopped) == 0 {
		return nil
	}
	return fmt.Errorf("every node of Kind cluster %q has to be running, but %s\nmend it with: %s",
		c.Name, strings.Join(stopped, ", "), strings.Join(mend, " && "))
}
