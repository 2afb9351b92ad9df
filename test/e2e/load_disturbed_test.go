package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/faults"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
)

// meanwhile runs the plugin, which is held up at a call to a node, and does
// something as soon as it is there.
func (u *user) meanwhile(call, node string, do func(), args ...string) outcome {
	u.t.Helper()
	env := u.env
	defer func() { u.env = env }()
	mark := filepath.Join(tempDir(u.t), "mark")
	u.faulty(faults.Rule{Call: call, Node: node, Mark: mark, Once: true, Hold: 3 * time.Second})
	command := u.plugin(args...)
	done := make(chan outcome, 1)
	go func() { done <- u.finish(command, nil) }()
	waitFor(u.t, "load has come to "+call, func() bool { _, err := os.Stat(mark); return err == nil || len(done) > 0 })
	do()
	return <-done
}

// wantEverywhere is wanted of all nodes.
func wantEverywhere(t *testing.T, ref, id string) {
	t.Helper()
	for node, has := range imagesOn(t) {
		if has[ref] != id {
			t.Errorf("node %s has %q as %s, want %s", node, has[ref], ref, id)
		}
	}
}

func TestALayerThatIsCollectedAfterThePlanIsSent(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	// Made by the engine itself, so that podman leaves out what nodes have.
	for what, source := range map[string]func(t *testing.T, ref, version string) string{
		"engine": func(t *testing.T, ref, version string) string { u.build(t, ref, version); return ref },
		"archive": func(t *testing.T, ref, version string) string {
			return "docker-archive:" + u.archive(u.service(ref, text("/version", version+u.namespace)))
		},
	} {
		t.Run(what, func(t *testing.T) {
			u := &user{t: t, namespace: u.namespace, dir: u.dir, env: u.env}
			ref := "localhost/" + u.namespace + "-" + what + ":dev"
			u.load("--source", source(t, ref, "1"))
			before := imagesOn(t)[suite.nodes[1]][ref]
			result := u.meanwhile("Leases/Create", suite.nodes[1], func() {
				for _, name := range []string{ref, before} {
					onNode(t, suite.nodes[1], "sh", "-c", `ctr -n k8s.io images rm --sync "$1" || true`, "rm", name)
				}
			}, "load", "--source", source(t, ref, "2"))
			if result.code != 0 {
				t.Fatalf("exit %d: %s", result.code, result.stderr)
			}
			after := imagesOn(t)[suite.nodes[0]][ref]
			if after == before || after == "" {
				t.Errorf("it is still %q", after)
			}
			wantEverywhere(t, ref, after)
			want := tree(t, suite.nodes[0], ref)
			for _, node := range suite.nodes {
				if got := tree(t, node, ref); got != want || len(got) < 100 {
					t.Errorf("node %s has the files\n%s, want\n%s", node, got, want)
				}
			}
		})
	}
}

// build lets the engine build an image of one large layer and a small one.
func (u *user) build(t *testing.T, ref, version string) {
	t.Helper()
	dir := filepath.Join(u.dir, "context-"+strings.NewReplacer("/", "-", ":", "-").Replace(ref))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"Dockerfile": "FROM scratch\nCOPY base /base\nCOPY version /version\n",
		"base":       strings.Repeat(u.namespace, 10_000), "version": version + u.namespace,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	buildOnHost(t, ref, dir)
	t.Cleanup(func() {
		_ = exec.CommandContext(context.WithoutCancel(t.Context()), suite.provider, "image", "rm", "--force", ref).Run()
	})
}

func TestTheEngineOfTheImageNeedNotBeTheOneOfTheCluster(t *testing.T) {
	other := map[string]string{kindtest.Podman: kindtest.Docker, kindtest.Docker: kindtest.Podman}[suite.provider]
	if _, err := kindtest.Environment(t.Context(), other, nil); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if _, err := kindtest.Environment(t.Context(), suite.provider, nil); err != nil {
			t.Error(err)
		}
	}()
	u := newUser(t)
	// Where docker's user is not root, podman's images are still root's.
	u.root = true
	ref := "localhost/" + u.namespace + ":dev"
	image := u.service(ref)
	id, err := image.ImageID()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), other, "load", "-i", u.archive(image)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	defer func() { _ = exec.Command(other, "image", "rm", ref).Run() }()
	u.must("load", "--source", ref)
	wantEverywhere(t, ref, id)
}

// The tests from here on are not parallel: they disturb nodes.

func TestANodesDiskThatIsFullIsSaid(t *testing.T) {
	u := newUser(t)
	const incoming = "/var/lib/containerd/io.containerd.content.v1.content/ingest"
	ref := "localhost/" + u.namespace + ":dev"
	image := u.service(ref, text("/content", strings.Repeat(u.namespace, 500_000)))
	id, err := image.ImageID()
	if err != nil {
		t.Fatal(err)
	}
	load := []string{"load", "--source", "docker-archive:" + u.archive(image)}
	full := suite.nodes[1]
	onNode(t, full, "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", incoming)
	result := u.e2eimage(load...)
	left := onNode(t, full, "ls", incoming)
	onNode(t, full, "umount", incoming)
	wantRefused(t, result, 1, "node "+full, "no space left on device", suite.nodes[0]+", "+suite.nodes[2]+" got it", "run again")
	if left != "" {
		t.Errorf("half a layer stays on the node: %s", left)
	}
	if got := imagesOn(t)[full][ref]; got != "" {
		t.Errorf("node %s has %s", full, got)
	}
	u.must(load...)
	wantEverywhere(t, ref, id)
}

func TestANodeThatGoesAwayWhileItIsLoaded(t *testing.T) {
	worker := suite.nodes[2]
	for what, test := range map[string]struct {
		away, back func(t *testing.T)
		args       []string
		code       int
		says       []string
	}{
		"its containerd restarts": {
			away: func(t *testing.T) { onNode(t, worker, "systemctl", "restart", "containerd") },
			back: func(*testing.T) {},
			code: 1, says: []string{worker, "got it; run again for the others"},
		},
		"it is paused": {
			away: func(t *testing.T) { engine(t, "pause", worker) }, back: func(t *testing.T) { engine(t, "unpause", worker) },
			args: []string{"--timeout", "8s"}, code: 124, says: []string{worker, "--timeout=8s"},
		},
	} {
		t.Run(what, func(t *testing.T) {
			u := newUser(t)
			ref := "localhost/" + u.namespace + ":dev"
			image := u.service(ref, text("/content", strings.Repeat(u.namespace, 100_000)))
			id, err := image.ImageID()
			if err != nil {
				t.Fatal(err)
			}
			load := []string{"load", "--source", "docker-archive:" + u.archive(image)}
			result := u.meanwhile("Diff/Apply", worker, func() { test.away(t) }, append(load, test.args...)...)
			test.back(t)
			wantRefused(t, result, test.code, test.says...)
			if result.took > time.Minute {
				t.Errorf("it took %s", result.took)
			}
			u.must(load...)
			wantEverywhere(t, ref, id)
			onNode(t, worker, "systemctl", "restart", "containerd")
			u.must("tag", "datastorage", "--source", ref, "--consumer", "suite")
			u.apply(workload("Deployment", "datastorage", ref, 2))
			u.must("deploy", "datastorage")
			if got := u.runs(id); got < 2 {
				t.Errorf("%d containers run", got)
			}
		})
	}
}
