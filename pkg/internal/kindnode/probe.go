package kindnode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/containerd"
)

// OwnerLabel is the containerd label that says which record a name belongs to.
const OwnerLabel = "e2eimage.dev/owner"

// part asks a node for one part of its state.
type part func(context.Context, *containerd.Client, *State) error

// Probe asks all nodes what images they have. On failure the states of the nodes
// that answered come with a NodeErrors.
func (c *Cluster) Probe(ctx context.Context) (States, error) {
	return c.probe(ctx, c.Names(), atHandshake, atPulled, atImages, atOwners)
}

// ProbeUse asks all nodes what images they have, what those take and what containers run
// them.
func (c *Cluster) ProbeUse(ctx context.Context) (States, error) {
	return c.probe(ctx, c.Names(), atHandshake, atImages, atOwners, atContainers, atPods, atUsage)
}

// ProbeContent asks all nodes what images they have and what those consist of.
func (c *Cluster) ProbeContent(ctx context.Context) (States, error) {
	return c.probe(ctx, c.Names(), atHandshake, atPulled, atImages, atOwners, atNames, atContent, atSnapshots)
}

// Containers asks the named nodes for their containers only.
func (c *Cluster) Containers(ctx context.Context, nodes []string) (States, error) {
	return c.probe(ctx, nodes, atContainers)
}

func (c *Cluster) probe(ctx context.Context, nodes []string, parts ...part) (States, error) {
	states, err := forEach(nodes, func(node string) (State, error) {
		client, err := c.client(ctx, node)
		if err != nil {
			return State{}, err
		}
		return look(ctx, client, parts...)
	})
	var failed NodeErrors
	if errors.As(err, &failed) {
		maps.DeleteFunc(states, func(node string, _ State) bool { return failed[node] != nil })
	}
	return states, err
}

// look asks a node for the parts side by side; each fills in fields of its own.
func look(ctx context.Context, client *containerd.Client, parts ...part) (State, error) {
	state := State{Owners: map[string]string{}, Pulled: map[string]Pulled{}}
	asking, ctx := errgroup.WithContext(ctx)
	for _, ask := range parts {
		asking.Go(func() error { return ask(ctx, client, &state) })
	}
	err := asking.Wait()
	return state, err
}

// atHandshake takes what the node told when it was connected.
func atHandshake(_ context.Context, client *containerd.Client, state *State) error {
	state.CA = client.Handshake().CA
	state.Platform = platform(client.Handshake().Machine)
	return nil
}

// atPulled takes the kubelet's notes out of what the node told.
func atPulled(_ context.Context, client *containerd.Client, state *State) error {
	decoder := json.NewDecoder(bytes.NewReader(client.Handshake().Pulled))
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

func atImages(ctx context.Context, client *containerd.Client, state *State) (err error) {
	state.Images, err = client.Images(ctx)
	return err
}

func atOwners(ctx context.Context, client *containerd.Client, state *State) error {
	owned, err := client.Names(ctx, OwnerLabel)
	if err != nil {
		return err
	}
	state.OwnedSince = map[string]time.Time{}
	for _, name := range owned {
		state.Owners[name.Text] = name.Labels[OwnerLabel]
		state.OwnedSince[name.Text] = name.Created
	}
	return nil
}

func atNames(ctx context.Context, client *containerd.Client, state *State) error {
	names, err := client.Names(ctx, "")
	state.Names = map[string]bool{}
	for _, name := range names {
		state.Names[name.Text] = true
	}
	return err
}

func atContent(ctx context.Context, client *containerd.Client, state *State) (err error) {
	state.Blobs, err = client.Blobs(ctx)
	return err
}

func atSnapshots(ctx context.Context, client *containerd.Client, state *State) (err error) {
	if state.Snapshotter, err = client.Snapshotter(ctx); err != nil {
		return err
	}
	state.Chains, err = client.Snapshots(ctx, state.Snapshotter)
	return err
}

func atContainers(ctx context.Context, client *containerd.Client, state *State) (err error) {
	state.Containers, err = client.Containers(ctx)
	return err
}

func atPods(ctx context.Context, client *containerd.Client, state *State) (err error) {
	state.Pods, err = client.Pods(ctx)
	return err
}

func atUsage(ctx context.Context, client *containerd.Client, state *State) (err error) {
	state.Usage, err = client.Usage(ctx)
	return err
}
