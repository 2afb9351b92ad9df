package kindnode

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

// copyFake plays the exporting and the importing node.
type copyFake struct {
	exported             []byte
	imported             []byte
	exportErr, importErr error
}

func (f *copyFake) Run(_ context.Context, command hostexec.Command) error {
	if slices.Contains(command.Argv, "e2eimage-export") {
		if _, err := command.Stdout.Write(f.exported); err != nil {
			return err
		}
		return f.exportErr
	}
	if f.importErr != nil {
		return f.importErr
	}
	var err error
	f.imported, err = io.ReadAll(command.Stdin)
	return err
}

func TestCopyStreamsFromNodeToNode(t *testing.T) {
	t.Parallel()
	fake := &copyFake{exported: bytes.Repeat([]byte("layer"), 1<<18)}
	if err := clusterWith(fake, "a", "b").Copy(t.Context(), "a", "b", "localhost/x:1"); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(fake.imported, fake.exported) {
		t.Errorf("%d bytes arrived of %d", len(fake.imported), len(fake.exported))
	}
}

func TestCopySaysWhatFailedFirst(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("layer"), 1<<18)
	tests := map[string]struct {
		fake *copyFake
		says string
	}{
		"the import": {&copyFake{exported: content, importErr: errors.New("no space left on device")}, "no space left on device"},
		"the export": {&copyFake{exported: content[:7], exportErr: errors.New("content not found")}, "content not found"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := clusterWith(test.fake, "a", "b").Copy(t.Context(), "a", "b", "localhost/x:1")
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func clusterWith(runner hostexec.Runner, nodes ...string) *Cluster {
	cluster := &Cluster{Name: "dev", Provider: "podman", runner: runner}
	for _, node := range nodes {
		cluster.Nodes = append(cluster.Nodes, Node{Name: node, State: "running"})
	}
	return cluster
}
