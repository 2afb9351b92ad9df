package e2eimage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"sync"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
)

// kindCluster is a Kind cluster in memory, and the host that runs it: it answers
// `ps` and the scripts that are run in nodes.
type kindCluster struct {
	name, provider string
	// before is called ahead of every script on a node; its error is the script's.
	before func(script, node string) error
	// after is called behind every script that ran.
	after func(script, node string)

	mu    sync.Mutex
	nodes map[string]*node
	// scripts that ran, as "tag dev-worker".
	ran []string
}

// node is what one node has.
type node struct {
	ca []byte
	// names → image IDs, and names → owner labels.
	images, owners map[string]string
	// pulled by the kubelet itself: image ID → repositories.
	pulled     map[string][]string
	containers []kindnode.Container
}

var _ kindnode.Runner = (*kindCluster)(nil)

// change does something to nodes, all of them if none is named.
func (c *kindCluster) change(do func(*node), names ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(names) == 0 {
		names = sortedKeys(c.nodes)
	}
	for _, name := range names {
		do(c.nodes[name])
	}
}

// load gives nodes an image.
func (c *kindCluster) load(name, imageID string, nodes ...string) {
	c.change(func(n *node) { n.images[name] = imageID }, nodes...)
}

// tags returns the names that carry an owner label, as "node name owner".
func (c *kindCluster) tags() []string {
	var tags []string
	for _, name := range sortedKeys(c.nodes) {
		c.change(func(n *node) {
			for _, tag := range sortedKeys(n.owners) {
				tags = append(tags, name+" "+tag+" "+n.owners[tag])
			}
		}, name)
	}
	return tags
}

// runs returns how often a script ran on any node.
func (c *kindCluster) runs(script string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	count := 0
	for _, ran := range c.ran {
		if strings.HasPrefix(ran, script+" ") {
			count++
		}
	}
	return count
}

// Run implements kindnode.Runner.
func (c *kindCluster) Run(ctx context.Context, command kindnode.Command) error {
	argv := command.Argv
	if argv[0] != c.provider {
		return &kindnode.CommandError{Argv: argv, Err: exec.ErrNotFound}
	}
	if argv[1] == "ps" {
		_, err := io.WriteString(command.Stdout, c.ps())
		return err
	}
	at := slices.IndexFunc(argv, func(arg string) bool { return strings.HasPrefix(arg, "e2eimage-") })
	if argv[1] != "exec" || at < 0 {
		return fmt.Errorf("unexpected command %q", argv)
	}
	name, script, args := argv[2], strings.TrimPrefix(argv[at], "e2eimage-"), argv[at+1:]
	if c.before != nil {
		if err := c.before(script, name); err != nil {
			return &kindnode.CommandError{Argv: argv, Err: err}
		}
	}
	if err := ctx.Err(); err != nil {
		return &kindnode.CommandError{Argv: argv, Err: context.Cause(ctx)}
	}
	out, err := c.script(name, script, args)
	if err == nil {
		_, err = io.WriteString(command.Stdout, out)
	}
	if c.after != nil {
		c.after(script, name)
	}
	return err
}

func (c *kindCluster) script(name, script string, args []string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ran = append(c.ran, script+" "+name)
	return c.nodes[name].script(script, args)
}

// ps is what `podman ps --format json` prints.
func (c *kindCluster) ps() string {
	type container struct {
		ID     string `json:"Id"`
		Names  []string
		State  string
		Labels map[string]string
	}
	containers := []container{}
	for _, name := range sortedKeys(c.nodes) {
		role := "worker"
		if strings.HasSuffix(name, "control-plane") {
			role = "control-plane"
		}
		containers = append(containers, container{ID: name, Names: []string{name}, State: "running", Labels: map[string]string{
			"io.x-k8s.kind.cluster": c.name, "io.x-k8s.kind.role": role,
		}})
	}
	return asJSON(containers)
}

func (n *node) script(name string, args []string) (string, error) {
	switch name {
	case "probe":
		return n.probe(args), nil
	case "tag":
		return n.tag(args)
	case "untag":
		return n.untag(args), nil
	}
	return "", fmt.Errorf("unexpected script %q", name)
}

func (n *node) probe(sections []string) string {
	var out strings.Builder
	for _, section := range sections {
		fmt.Fprintf(&out, "@@e2eimage %s\n", section)
		switch section {
		case "ca":
			out.Write(n.ca)
		case "machine":
			out.WriteString("x86_64\n")
		case "images":
			byID := map[string][]string{}
			for _, name := range sortedKeys(n.images) {
				byID[n.images[name]] = append(byID[n.images[name]], name)
			}
			images := []kindnode.Image{}
			for _, id := range sortedKeys(byID) {
				images = append(images, kindnode.Image{ID: id, RepoTags: byID[id]})
			}
			out.WriteString(asJSON(map[string]any{"images": images}))
		case "owned":
			out.WriteString("REF TYPE DIGEST SIZE PLATFORMS LABELS\n")
			for _, name := range sortedKeys(n.owners) {
				fmt.Fprintf(&out, "%s x sha256:9 8.3 MiB linux/amd64 e2eimage.dev/owner=%s,io.cri-containerd.image=managed\n", name, n.owners[name])
			}
		case "pulled":
			for _, id := range sortedKeys(n.pulled) {
				mapping := map[string]any{}
				for _, repository := range n.pulled[id] {
					mapping[repository] = map[string]any{"nodePodsAccessible": true}
				}
				out.WriteString(asJSON(map[string]any{"kind": "ImagePulledRecord", "imageRef": id, "credentialMapping": mapping}) + "\n")
			}
		case "containers":
			out.WriteString(asJSON(map[string]any{"containers": n.containers}))
		}
		out.WriteString("\n")
	}
	return out.String()
}

func (n *node) tag(args []string) (string, error) {
	var out strings.Builder
	for ; len(args) >= 3; args = args[3:] {
		id, target, owner := args[0], args[1], args[2]
		state := "present"
		if _, exists := n.images[target]; !exists {
			if !slices.Contains(slices.Collect(maps.Values(n.images)), id) {
				return "", errors.New("image not found")
			}
			n.images[target], n.owners[target], state = id, owner, "added"
		}
		fmt.Fprintf(&out, "%s\t%s\t%s\t%s\n", target, state, n.images[target], n.owners[target])
	}
	return out.String(), nil
}

func (n *node) untag(args []string) string {
	var out strings.Builder
	for ; len(args) >= 2; args = args[2:] {
		owner, name := args[0], args[1]
		id, exists := n.images[name]
		switch {
		case !exists:
			fmt.Fprintf(&out, "%s\tabsent\t\tkept\n", name)
		case n.owners[name] != owner:
			fmt.Fprintf(&out, "%s\tforeign\t\tkept\n", name)
		default:
			delete(n.images, name)
			delete(n.owners, name)
			outcome := "freed"
			if slices.Contains(slices.Collect(maps.Values(n.images)), id) ||
				slices.ContainsFunc(n.containers, func(c kindnode.Container) bool { return c.ImageRef == id }) {
				outcome = "kept"
			}
			fmt.Fprintf(&out, "%s\tremoved\t%s\t%s\n", name, id, outcome)
		}
	}
	return out.String()
}

func asJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}
