package kindnode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	"github.com/containerd/containerd/api/services/images/v1"
	"golang.org/x/sync/errgroup"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// OwnerLabel is the containerd label that says which record a name belongs to.
const OwnerLabel = "e2eimage.dev/owner"

// part asks a node for one part of its state.
type part func(context.Context, *session, *State) error

// Names returns the cluster's node names, sorted.
func (c *Cluster) Names() []string {
	names := make([]string, 0, len(c.Nodes))
	for _, node := range c.Nodes {
		names = append(names, node.Name)
	}
	return names
}

// Probe asks all nodes what images they have. On failure the states of the nodes
// that answered come with a NodeErrors.
func (c *Cluster) Probe(ctx context.Context) (map[string]State, error) {
	return c.probe(ctx, c.Names(), readGreeted, readPulled, listImages, listOwned)
}

// ProbeUse asks all nodes what images they have and what containers run them.
func (c *Cluster) ProbeUse(ctx context.Context) (map[string]State, error) {
	return c.probe(ctx, c.Names(), readGreeted, listImages, listOwned, listContainers, listPods)
}

// ProbeContent asks all nodes what images they have and what those consist of.
func (c *Cluster) ProbeContent(ctx context.Context) (map[string]State, error) {
	return c.probe(ctx, c.Names(), readGreeted, readPulled, listImages, listOwned, listNames, listContent, listSnapshots)
}

// Containers asks the named nodes for their containers only.
func (c *Cluster) Containers(ctx context.Context, nodes []string) (map[string]State, error) {
	return c.probe(ctx, nodes, listContainers)
}

func (c *Cluster) probe(ctx context.Context, nodes []string, parts ...part) (map[string]State, error) {
	states, err := forEach(nodes, func(node string) (State, error) {
		s, err := c.session(ctx, node)
		if err != nil {
			return State{}, err
		}
		return s.state(ctx, parts...)
	})
	var failed NodeErrors
	if errors.As(err, &failed) {
		maps.DeleteFunc(states, func(node string, _ State) bool { return failed[node] != nil })
	}
	return states, err
}

// state asks for the parts side by side; each fills in fields of its own.
func (s *session) state(ctx context.Context, parts ...part) (State, error) {
	state := State{Owners: map[string]string{}, Pulled: map[string]Pulled{}}
	asking, ctx := errgroup.WithContext(ctx)
	for _, ask := range parts {
		asking.Go(func() error { return ask(ctx, s, &state) })
	}
	err := asking.Wait()
	return state, err
}

// readGreeted takes what the node told when it was connected.
func readGreeted(_ context.Context, s *session, state *State) error {
	state.CA = s.greeting["ca"]
	state.Platform = platform(strings.TrimSpace(string(s.greeting["machine"])))
	return nil
}

// readPulled takes the kubelet's notes out of what the node told.
func readPulled(_ context.Context, s *session, state *State) error {
	decoder := json.NewDecoder(bytes.NewReader(s.greeting["pulled"]))
	for {
		var note Pulled
		if err := decoder.Decode(&note); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("the kubelet's notes of pulled images: %w", err)
		}
		state.Pulled[note.ImageRef] = note
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

func listImages(ctx context.Context, s *session, state *State) error {
	listed, err := s.cri.ListImages(ctx, &cri.ListImagesRequest{})
	if err != nil {
		return err
	}
	for _, image := range listed.GetImages() {
		state.Images = append(state.Images, Image{
			ID: image.GetId(), RepoTags: image.GetRepoTags(),
			RepoDigests: image.GetRepoDigests(),
		})
	}
	return nil
}

func listOwned(ctx context.Context, s *session, state *State) error {
	listed, err := s.images.List(ctx, &images.ListImagesRequest{Filters: []string{`labels."` + OwnerLabel + `"`}})
	if err != nil {
		return err
	}
	state.OwnedSince = map[string]time.Time{}
	for _, image := range listed.GetImages() {
		state.Owners[image.GetName()] = image.GetLabels()[OwnerLabel]
		state.OwnedSince[image.GetName()] = image.GetCreatedAt().AsTime()
	}
	return nil
}

func listNames(ctx context.Context, s *session, state *State) error {
	listed, err := s.images.List(ctx, &images.ListImagesRequest{})
	state.Names = map[string]bool{}
	for _, image := range listed.GetImages() {
		state.Names[image.GetName()] = true
	}
	return err
}

func listContainers(ctx context.Context, s *session, state *State) error {
	listed, err := s.runtime.ListContainers(ctx, &cri.ListContainersRequest{})
	if err != nil {
		return err
	}
	for _, container := range listed.GetContainers() {
		state.Containers = append(state.Containers, Container{
			ID: container.GetId(), ImageRef: container.GetImageRef(), PodID: container.GetPodSandboxId(),
			Image:   container.GetImage().GetUserSpecifiedImage(),
			Exited:  container.GetState() == cri.ContainerState_CONTAINER_EXITED,
			Created: time.Unix(0, container.GetCreatedAt()),
			// k8s.io/kubernetes/pkg/kubelet/types/labels.go
			Namespace: container.GetLabels()["io.kubernetes.pod.namespace"],
			Pod:       container.GetLabels()["io.kubernetes.pod.name"],
		})
	}
	return nil
}

func listPods(ctx context.Context, s *session, state *State) error {
	listed, err := s.runtime.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{Filter: &cri.PodSandboxFilter{
		State: &cri.PodSandboxStateValue{State: cri.PodSandboxState_SANDBOX_READY},
	}})
	if err != nil {
		return err
	}
	for _, sandbox := range listed.GetItems() {
		state.Pods = append(state.Pods, sandbox.GetId())
	}
	return nil
}
