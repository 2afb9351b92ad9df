package kindnode

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// State is what one node has.
type State struct {
	// CA is the PEM of the cluster's certificate authority as the node has it.
	CA []byte
	// Platform in OCI form, like linux/amd64.
	Platform string
	// Images are those that the CRI lists: what the kubelet can run.
	Images []Image
	// Owners says which record each name that carries the owner label belongs to.
	Owners map[string]string
	// Pulled are the images that the kubelet pulled itself, by image ID.
	Pulled map[string]Pulled
	// Containers are the CRI's containers, running or not. Filled on demand.
	Containers []Container
	// Pods are the IDs of the pod sandboxes that are ready. Filled on demand.
	Pods []string
}

// Image is an image as `crictl images -o json` shows it.
type Image struct {
	ID          string   `json:"id"`
	RepoTags    []string `json:"repoTags"`
	RepoDigests []string `json:"repoDigests"`
}

// Container is a container as `crictl ps -a -o json` shows it.
type Container struct {
	ID string `json:"id"`
	// ImageRef is the config digest of the image that it really runs.
	ImageRef string `json:"imageRef"`
	State    string `json:"state"`
	// PodID is the ID of the pod's sandbox.
	PodID string `json:"podSandboxId"`
	Image struct {
		Image              string `json:"image"`
		UserSpecifiedImage string `json:"userSpecifiedImage"`
	} `json:"image"`
	Labels map[string]string `json:"labels"`
}

// Pulled is the kubelet's note about an image that it pulled
// (k8s.io/kubernetes/pkg/kubelet/apis/config, ImagePulledRecord).
type Pulled struct {
	ImageRef          string                     `json:"imageRef"`
	CredentialMapping map[string]json.RawMessage `json:"credentialMapping"`
}

// Repositories under which the kubelet lets this image start, sorted.
func (p Pulled) Repositories() []string {
	return slices.Sorted(maps.Keys(p.CredentialMapping))
}

// InUse tells whether a container runs, or is about to be restarted because its
// pod is still there.
func (s State) InUse(container Container) bool {
	return container.State != "CONTAINER_EXITED" || slices.Contains(s.Pods, container.PodID)
}

// ID returns the image ID that the CRI has under name, or "".
func (s State) ID(name string) string {
	for _, image := range s.Images {
		if image.ID == name || slices.Contains(image.RepoTags, name) || slices.Contains(image.RepoDigests, name) {
			return image.ID
		}
	}
	return ""
}

// Tags returns all tags that the CRI has for the image ID.
func (s State) Tags(id string) []string {
	for _, image := range s.Images {
		if image.ID == id {
			return image.RepoTags
		}
	}
	return nil
}

// Names returns the cluster's node names, sorted.
func (c *Cluster) Names() []string {
	names := make([]string, 0, len(c.Nodes))
	for _, node := range c.Nodes {
		names = append(names, node.Name)
	}
	return names
}

// Probe asks all nodes what images they have, in one exec each. On failure the
// states of the nodes that answered come with a NodeErrors.
func (c *Cluster) Probe(ctx context.Context) (map[string]State, error) {
	return c.probe(ctx, c.Names(), "ca", "machine", "images", "owned", "pulled")
}

// ProbeUse asks all nodes what images they have and what containers run them.
func (c *Cluster) ProbeUse(ctx context.Context) (map[string]State, error) {
	return c.probe(ctx, c.Names(), "ca", "images", "owned", "containers", "pods")
}

// Containers asks the named nodes for their containers only.
func (c *Cluster) Containers(ctx context.Context, nodes []string) (map[string]State, error) {
	return c.probe(ctx, nodes, "containers")
}

func (c *Cluster) probe(ctx context.Context, nodes []string, sections ...string) (map[string]State, error) {
	return forEach(nodes, func(node string) (State, error) {
		out, err := c.ask(ctx, node, "probe", sections...)
		if err != nil {
			return State{}, err
		}
		return parseState(out)
	})
}

func parseState(out []byte) (State, error) {
	state := State{Owners: map[string]string{}, Pulled: map[string]Pulled{}}
	for name, content := range sections(out) {
		if err := state.fill(name, content); err != nil {
			return State{}, fmt.Errorf("what the node says about its %s: %w", name, err)
		}
	}
	return state, nil
}

func sections(out []byte) map[string][]byte {
	found := map[string][]byte{}
	for _, part := range bytes.Split(append([]byte("\n"), out...), []byte("\n@@e2eimage "))[1:] {
		name, content, _ := bytes.Cut(part, []byte("\n"))
		found[string(name)] = content
	}
	return found
}

func (s *State) fill(section string, content []byte) error {
	switch section {
	case "ca":
		s.CA = content
	case "machine":
		s.Platform = platform(strings.TrimSpace(string(content)))
	case "images":
		var listed struct{ Images []Image }
		err := json.Unmarshal(content, &listed)
		s.Images = listed.Images
		return err
	case "containers":
		var listed struct{ Containers []Container }
		err := json.Unmarshal(content, &listed)
		s.Containers = listed.Containers
		return err
	case "pods":
		s.Pods = strings.Fields(string(content))
	case "owned":
		return s.fillOwners(content)
	case "pulled":
		return s.fillPulled(content)
	}
	return nil
}

var ownerLabel = regexp.MustCompile(`e2eimage\.dev/owner=([^,\s]*)`)

func (s *State) fillOwners(table []byte) error {
	lines := bufio.NewScanner(bytes.NewReader(table))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if owner := ownerLabel.FindStringSubmatch(lines.Text()); owner != nil && len(fields) > 0 {
			s.Owners[fields[0]] = owner[1]
		}
	}
	return lines.Err()
}

func (s *State) fillPulled(notes []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(notes))
	for {
		var note Pulled
		if err := decoder.Decode(&note); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		s.Pulled[note.ImageRef] = note
	}
}

// platform turns the kernel's machine name into OCI's.
func platform(machine string) string {
	switch machine {
	case "x86_64":
		return "linux/amd64"
	case "aarch64":
		return "linux/arm64"
	}
	return "linux/" + machine
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
