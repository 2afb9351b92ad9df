package kindnode

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// nodeFake answers execs by node name and remembers their argv.
type nodeFake struct {
	mu      sync.Mutex
	answers map[string]func(context.Context) (string, error)
	argv    [][]string
}

func (f *nodeFake) Run(ctx context.Context, command Command) error {
	f.mu.Lock()
	f.argv = append(f.argv, command.Argv)
	f.mu.Unlock()
	out, err := f.answers[command.Argv[2]](ctx)
	if err == nil {
		_, err = io.WriteString(command.Stdout, out)
	}
	return err
}

func says(out string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return out, nil }
}

func clusterOf(runner Runner, nodes ...string) *Cluster {
	cluster := &Cluster{Name: "dev", Provider: "podman", runner: runner}
	for _, node := range nodes {
		cluster.Nodes = append(cluster.Nodes, Node{Name: node, State: "running"})
	}
	return cluster
}

func TestTagPassesValuesAsArgumentsOnly(t *testing.T) {
	t.Parallel()
	fake := &nodeFake{answers: map[string]func(context.Context) (string, error){"n1": says("localhost/a:1\tadded\tsha256:1\tns.c.a\n")}}
	done, err := clusterOf(fake, "n1").Tag(t.Context(), []string{"n1"}, []TagOp{{ImageID: "sha256:1", Target: "localhost/a:1", Owner: "ns.c.a"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Tagged{{Target: "localhost/a:1", Added: true, ImageID: "sha256:1", Owner: "ns.c.a"}}, done["n1"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	argv := fake.argv[0]
	script, err := scripts.ReadFile("scripts/tag.sh")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"podman", "exec", "n1", "timeout", "--kill-after=5", "60", "sh", "-c", string(script), "e2eimage-tag", "sha256:1", "localhost/a:1", "ns.c.a"}
	if diff := cmp.Diff(want, argv); diff != "" {
		t.Errorf("argv (-want +got):\n%s", diff)
	}
}

func TestOneNodeThatFailsDoesNotHideTheOthers(t *testing.T) {
	t.Parallel()
	fake := &nodeFake{answers: map[string]func(context.Context) (string, error){
		"n1": says("localhost/a:1\tpresent\tsha256:1\t\n"),
		"n2": func(context.Context) (string, error) { return "", errors.New("no space left on device") },
	}}
	done, err := clusterOf(fake, "n1", "n2").Tag(t.Context(), []string{"n1", "n2"}, []TagOp{{ImageID: "sha256:1", Target: "localhost/a:1"}})
	var failed NodeErrors
	if !errors.As(err, &failed) || len(failed) != 1 || !strings.Contains(err.Error(), "node n2: no space left") {
		t.Errorf("error %v", err)
	}
	if len(done["n1"]) != 1 {
		t.Errorf("the answer of n1 is lost: %v", done)
	}
}

func TestACancelledChangeIsWaitedForNotKilled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		killed := false
		fake := &nodeFake{answers: map[string]func(context.Context) (string, error){
			"n1": func(running context.Context) (string, error) {
				cancel()
				select {
				case <-running.Done():
					killed = true
				case <-time.After(3 * time.Second):
				}
				return "localhost/a:1\tadded\tsha256:1\t\n", nil
			},
		}}
		if _, err := clusterOf(fake, "n1").Tag(ctx, []string{"n1"}, []TagOp{{ImageID: "sha256:1", Target: "localhost/a:1"}}); err != nil {
			t.Fatal(err)
		}
		if killed {
			t.Error("the exec was cut short")
		}
	})
}

func TestACancelledChangeThatHangsIsLeftAfterTheGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begun := time.Now()
		fake := &nodeFake{answers: map[string]func(context.Context) (string, error){
			"n1": func(running context.Context) (string, error) {
				cancel()
				<-running.Done()
				return "", context.Cause(running)
			},
		}}
		_, err := clusterOf(fake, "n1").Tag(ctx, []string{"n1"}, []TagOp{{ImageID: "sha256:1", Target: "localhost/a:1"}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		if waited := time.Since(begun); waited != settleGrace {
			t.Errorf("left after %s, want %s", waited, settleGrace)
		}
	})
}

func TestProbeReadsWhatANodeSays(t *testing.T) {
	t.Parallel()
	const out = `@@e2eimage ca
-----BEGIN CERTIFICATE-----
-----END CERTIFICATE-----

@@e2eimage machine
aarch64

@@e2eimage images
{"images": [{"id": "sha256:1", "repoTags": ["localhost/a:1", "localhost/b:1"], "repoDigests": []}]}

@@e2eimage owned
REF           TYPE DIGEST SIZE PLATFORMS LABELS
localhost/a:1 x    sha256:9 8.3 MiB linux/amd64 e2eimage.dev/owner=ns.suite.a,io.cri-containerd.image=managed

@@e2eimage pulled
{"kind":"ImagePulledRecord","imageRef":"sha256:1","credentialMapping":{"example.com/a":{"nodePodsAccessible":true}}}
{"kind":"ImagePulledRecord","imageRef":"sha256:2"}

@@e2eimage containers
{"containers": [{"id": "c1", "imageRef": "sha256:1", "state": "CONTAINER_RUNNING", "image": {"image": "sha256:1", "userSpecifiedImage": "localhost/a:1"}}]}
`
	states, err := clusterOf(&nodeFake{answers: map[string]func(context.Context) (string, error){"n1": says(out)}}, "n1").Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	state := states["n1"]
	if state.Platform != "linux/arm64" || state.ID("localhost/b:1") != "sha256:1" || state.ID("localhost/c:1") != "" {
		t.Errorf("platform %s, images %v", state.Platform, state.Images)
	}
	if diff := cmp.Diff(map[string]string{"localhost/a:1": "ns.suite.a"}, state.Owners); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"example.com/a"}, state.Pulled["sha256:1"].Repositories()); diff != "" {
		t.Errorf("pulled (-want +got):\n%s", diff)
	}
	if len(state.Containers) != 1 || state.Containers[0].Image.UserSpecifiedImage != "localhost/a:1" {
		t.Errorf("containers %v", state.Containers)
	}
}
