package kindnode_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
)

// clusters are all on podman.
type clusters []*kindnodetest.Cluster

// Run implements hostexec.Runner.
func (c clusters) Run(ctx context.Context, command hostexec.Command) error {
	if command.Argv[0] != "podman" {
		return &hostexec.CommandError{Argv: command.Argv, Err: exec.ErrNotFound}
	}
	if command.Argv[1] != "ps" {
		i := slices.IndexFunc(c, func(cluster *kindnodetest.Cluster) bool {
			return slices.ContainsFunc(cluster.Nodes(), func(node string) bool { return slices.Contains(command.Argv, node) })
		})
		return c[i].Run(ctx, command)
	}
	var all []any
	for _, cluster := range c {
		var out bytes.Buffer
		var listed []any
		err := cluster.Run(ctx, hostexec.Command{Argv: command.Argv, Stdout: &out})
		if err = errors.Join(err, json.Unmarshal(out.Bytes(), &listed)); err != nil {
			return err
		}
		all = append(all, listed...)
	}
	return json.NewEncoder(command.Stdout).Encode(all)
}

func TestAClusterIsFoundByItsCertificateAuthority(t *testing.T) {
	t.Parallel()
	dev := kindnodetest.New("dev", []byte("one"), "dev-control-plane", "dev-worker")
	ci := kindnodetest.New("ci", []byte("other"), "ci-control-plane")
	find := func(ctx context.Context, provider, ca string) (kindnode.Query, error) {
		return kindnode.FindOf(ctx, clusters{ci, dev}, provider, func(got []byte) bool { return strings.TrimSpace(string(got)) == ca })
	}
	for ca, want := range map[string]kindnode.Query{
		"one": {Name: "dev", Provider: "podman"}, "other": {Name: "ci", Provider: "podman"}, "none": {},
	} {
		if found, err := find(t.Context(), "", ca); err != nil || found != want {
			t.Errorf("%s: %+v, %v", ca, found, err)
		}
	}
	if found, err := find(t.Context(), "docker", "one"); err != nil || found.Name != "" {
		t.Errorf("on docker only: %+v, %v", found, err)
	}
	if asked := dev.Calls(); slices.Contains(asked, "exec dev-worker") {
		t.Errorf("more than one node was asked: %v", asked)
	}
	ci.Before = func(string, string) error { return errors.New("it does not answer") }
	if found, err := find(t.Context(), "", "one"); err != nil || found.Name != "dev" {
		t.Errorf("beside one that does not answer: %+v, %v", found, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := find(ctx, "", "one"); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}
