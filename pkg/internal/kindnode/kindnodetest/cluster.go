// Package kindnodetest is a Kind cluster in memory, for tests: it answers an
// engine's `ps`, and behind its `exec` is the containerd of package containerdtest. It has no
// logic of the product.
package kindnodetest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/containerd/containerdtest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
)

// Exec is the call with which Before, After and Count know a node being
// connected; the others are called as the APIs call them, like "Images/Create".
const Exec = "exec"

// Node is what one node has.
type Node = containerdtest.Node

// Cluster is a Kind cluster and the host that runs it.
type Cluster struct {
	Name, Provider string
	// Before is called ahead of every call to a node; its error is the call's.
	Before func(call, node string) error
	// After is called behind every call that was carried out.
	After func(call, node string)

	mu    sync.Mutex
	nodes map[string]*Node
	calls []string
	// started counts containers, so that each has an ID of its own.
	started atomic.Int32
}

var _ hostexec.Runner = (*Cluster)(nil)

// New returns a cluster on podman whose nodes have a certificate authority.
func New(name string, ca []byte, nodes ...string) *Cluster {
	c := &Cluster{Name: name, Provider: "podman", nodes: map[string]*Node{}}
	for _, node := range nodes {
		c.Join(ca, node)
	}
	return c
}

// Join adds a node that has nothing yet.
func (c *Cluster) Join(ca []byte, node string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes[node] = containerdtest.New(ca, kindnode.OwnerLabel)
}

// Change does something to nodes, all of them if none is named.
func (c *Cluster) Change(do func(*Node), names ...string) {
	if len(names) == 0 {
		names = c.Nodes()
	}
	for _, name := range names {
		c.node(name).Change(do)
	}
}

func (c *Cluster) node(name string) *Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes[name]
}

// Load gives nodes an image, all of them if none is named.
func (c *Cluster) Load(name, imageID string, nodes ...string) {
	c.Change(func(n *Node) { n.Load(name, imageID) }, nodes...)
}

// Tags returns the names that carry an owner label, as "node name owner".
func (c *Cluster) Tags() []string {
	var tags []string
	for _, name := range c.Nodes() {
		c.Change(func(n *Node) {
			for _, tag := range slices.Sorted(maps.Keys(n.Owners)) {
				tags = append(tags, name+" "+tag+" "+n.Owners[tag])
			}
		}, name)
	}
	return tags
}

// Count returns how often a call was carried out on any node.
func (c *Cluster) Count(call string) int {
	count := 0
	for _, made := range c.Calls() {
		if strings.HasPrefix(made, call+" ") {
			count++
		}
	}
	return count
}

// Calls are those that were carried out, as "Images/Create dev-worker".
func (c *Cluster) Calls() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.calls)
}

// Run implements hostexec.Runner.
func (c *Cluster) Run(ctx context.Context, command hostexec.Command) error {
	argv := command.Argv
	if argv[0] != c.Provider {
		return &hostexec.CommandError{Argv: argv, Err: exec.ErrNotFound}
	}
	switch {
	case argv[1] == "ps":
		return json.NewEncoder(command.Stdout).Encode(c.ps())
	case argv[1] == "exec" && slices.Contains(argv, "perl"):
		name := argv[3]
		err := c.call(Exec, name, func() error { return ctx.Err() })
		if err != nil {
			return &hostexec.CommandError{Argv: argv, Err: err}
		}
		return c.node(name).Serve(ctx, command.Stdin, command.Stdout, func(call string, do func() error) error {
			return c.call(call, name, do)
		})
	case argv[1] == "exec" && slices.Contains(argv, "e2eimage-export"):
		name, text := argv[len(argv)-1], ""
		c.Change(func(n *Node) { text = name + " " + n.Images[name] }, argv[2])
		_, err := io.WriteString(command.Stdout, text)
		return err
	case argv[1] == "exec" && slices.Contains(argv, "e2eimage-import"):
		text, err := io.ReadAll(command.Stdin)
		name, id, _ := strings.Cut(string(text), " ")
		c.Load(name, id, argv[3])
		return err
	}
	return fmt.Errorf("unexpected command %q", argv)
}

// call carries out one call between its two hooks.
func (c *Cluster) call(name, node string, do func() error) error {
	if c.Before != nil {
		if err := c.Before(name, node); err != nil {
			return err
		}
	}
	c.mu.Lock()
	c.calls = append(c.calls, name+" "+node)
	c.mu.Unlock()
	err := do()
	if err == nil && c.After != nil {
		c.After(name, node)
	}
	return err
}

// container is one as podman lists it.
type container struct {
	ID     string `json:"Id"`
	Names  []string
	State  string
	Labels map[string]string
}

// ps is what `podman ps --format json` prints.
func (c *Cluster) ps() []container {
	containers := []container{}
	for _, name := range c.Nodes() {
		role := "worker"
		if strings.HasSuffix(name, "control-plane") {
			role = "control-plane"
		}
		containers = append(containers, container{
			ID: name, Names: []string{name}, State: "running",
			Labels: map[string]string{
				"io.x-k8s.kind.cluster": c.Name, "io.x-k8s.kind.role": role,
			},
		})
	}
	return containers
}
