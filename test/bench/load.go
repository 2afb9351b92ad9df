package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
)

const (
	bigImage = "localhost/bench-big:dev"
	bigBase  = "localhost/bench-big:base"
	// bigLayers of bigLayer bytes each, and a small one on top.
	bigLayers, bigLayer = 3, 200_000_000
	// hugeImage has hugeLayers of the same size; what counts is the memory.
	hugeImage  = "localhost/bench-huge:dev"
	hugeLayers = 10
	loadRounds = 5
)

// loads measures loading a large image into a cluster of one node and into the
// other one.
func (b *bench) loads(ctx context.Context) error {
	return b.intoBoth(ctx, func(ctx context.Context, target *loading) error {
		if err := target.measure(ctx, target.cases()); err != nil {
			return err
		}
		if err := target.layout(ctx); err != nil || len(target.nodes) > 1 {
			return err
		}
		return target.huge(ctx)
	})
}

// cold is the part of loads in which the nodes have nothing of the image.
func (b *bench) cold(ctx context.Context) error {
	return b.intoBoth(ctx, func(ctx context.Context, target *loading) error {
		return target.measure(ctx, target.cases()[:1])
	})
}

// intoBoth makes the large image and the cluster of one node, and measures each cluster.
func (b *bench) intoBoth(ctx context.Context, measure func(context.Context, *loading) error) (err error) {
	dir := filepath.Join(b.dir, "big")
	defer func() {
		removing := context.WithoutCancel(ctx)
		_, _ = b.output(removing, b.provider, "image", "rm", "--force", bigImage, bigBase, hugeImage)
		_ = os.RemoveAll(dir)
	}()
	if err := b.buildBase(ctx, dir, bigBase, bigLayers); err != nil {
		return err
	}
	small := kindtest.Options{Name: b.cluster + "-one", Provider: b.provider, Kubeconfig: b.dir + "/one", Wait: 3 * time.Minute, Log: io.Discard}
	if err := kindtest.Create(ctx, small); err != nil {
		return err
	}
	if b.ordinary != nil {
		if err := b.ordinary.Own(b.dir); err != nil {
			return err
		}
	}
	defer func() {
		deleting, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
		defer cancel()
		if failed := kindtest.Delete(deleting, small.Name, b.provider); err == nil {
			err = failed
		}
	}()
	for _, target := range []*loading{
		{bench: b, dir: dir, cluster: small.Name, kubeconfig: small.Kubeconfig, nodes: []string{small.Name + "-control-plane"}},
		{bench: b, dir: dir, cluster: b.cluster, kubeconfig: b.kubeconfig, nodes: b.nodes},
	} {
		if err := measure(ctx, target); err != nil {
			return err
		}
	}
	return nil
}

// buildBase makes an image of so many large layers.
func (b *bench) buildBase(ctx context.Context, dir, ref string, layers int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	dockerfile := "FROM scratch\n"
	for i := range layers {
		name := fmt.Sprintf("big%d", i)
		if err := random(filepath.Join(dir, name), bigLayer); err != nil {
			return err
		}
		dockerfile += fmt.Sprintf("COPY %s /%s\n", name, name)
	}
	return b.buildIn(ctx, dir, ref, dockerfile)
}

func random(file string, size int64) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = io.CopyN(out, rand.Reader, size)
	if closed := out.Close(); err == nil {
		err = closed
	}
	return err
}

func (b *bench) buildIn(ctx context.Context, dir, ref, dockerfile string) error {
	file := filepath.Join(dir, "Dockerfile")
	if err := os.WriteFile(file, []byte(dockerfile), 0o644); err != nil {
		return err
	}
	_, err := b.output(ctx, b.provider, "build", "-q", "-t", ref, "-f", file, dir)
	return err
}

// coldGoal is against who loads the whole image each time.
const coldGoal = "2×, aim 3×; 4× as root on podman"

// loading is one cluster that is loaded into.
type loading struct {
	*bench
	dir, cluster, kubeconfig string
	nodes                    []string
	// memory is the largest that the plugin had, in kilobytes.
	memory int64
}

// change builds the image with another small layer.
func (l *loading) change(ctx context.Context) error {
	dir := filepath.Join(l.dir, "small")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := random(filepath.Join(dir, "small"), 1_000_000); err != nil {
		return err
	}
	// Else the one of before stays without a name. It is not there at first.
	_, _ = l.output(ctx, l.provider, "image", "rm", "--force", bigImage)
	return l.buildIn(ctx, dir, bigImage, "FROM "+bigBase+"\nCOPY small /small\n")
}

// wipe takes everything off the nodes that is not Kubernetes' own.
func (l *loading) wipe(ctx context.Context) error {
	for _, node := range l.nodes {
		_, err := l.output(ctx, l.provider, "exec", node, "sh", "-c",
			`ctr -n k8s.io images ls -q | grep -e bench-big -e bench-huge -e /import- | xargs -r ctr -n k8s.io images rm --sync
for id in $(crictl images -o json | jq -r '.images[] | select(.repoTags == []) | .id'); do crictl rmi "$id"; done
ctr -n k8s.io content prune references >/dev/null`)
		if err != nil {
			return err
		}
	}
	return nil
}

// ours loads and notes how much memory that took.
func (l *loading) ours(ctx context.Context, source string) (time.Duration, error) {
	command, err := l.command(ctx, "kubectl-e2eimage", "load", "-q", "--source", source, "--engine", l.provider, "--kind-cluster", l.cluster, "--kubeconfig", l.kubeconfig)
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	if out, err := command.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("load: %w: %s", err, out)
	}
	took := time.Since(begun)
	if usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage); ok {
		l.memory = max(l.memory, usage.Maxrss)
	}
	return took, nil
}

// peer saves and lets kind load.
func (l *loading) peer(ctx context.Context) (time.Duration, error) {
	archive := filepath.Join(l.dir, "image.tar")
	defer os.Remove(archive)
	return l.time(ctx, "bash", "-ec", `"$ENGINE" save -o "$1" "$2" >/dev/null && KIND_EXPERIMENTAL_PROVIDER="$ENGINE" kind load image-archive --name "$3" "$1"`,
		"peer", archive, bigImage, l.cluster)
}

func (l *loading) dockerImage(ctx context.Context) (time.Duration, error) {
	return l.time(ctx, "kind", "load", "docker-image", "--name", l.cluster, bigImage)
}

// loadCase is measured in rounds; before comes ahead of each measuring.
type loadCase struct {
	what, goal string
	before     func(context.Context) error
	// alone leaves the peers out: they take as long as they took in the case
	// before.
	alone bool
}

// cases are measured in this order, the one in which the nodes have nothing first.
func (l *loading) cases() []loadCase {
	kindLoaded := func(ctx context.Context) error {
		if err := l.wipe(ctx); err != nil {
			return err
		}
		if _, err := l.peer(ctx); err != nil {
			return err
		}
		return l.change(ctx)
	}
	return []loadCase{
		{what: "first time", goal: coldGoal, before: l.wipe},
		{what: "small layer changed", goal: "12×, aim 20×", before: l.change},
		{what: "small layer changed, the first time after kind loaded the rest", goal: "3×", before: kindLoaded, alone: true},
		{what: "nothing changed", goal: "30×", before: func(context.Context) error { return nil }},
	}
}

func (l *loading) measure(ctx context.Context, cases []loadCase) error {
	peers := map[string][]time.Duration{}
	for _, c := range cases {
		if err := l.one(ctx, c, peers); err != nil {
			return err
		}
	}
	return nil
}

// one measures a case; peers are the times of the others, by what they are.
func (l *loading) one(ctx context.Context, c loadCase, peers map[string][]time.Duration) error {
	others := map[string]func(context.Context) (time.Duration, error){"`save` + `kind load image-archive`": l.peer}
	if l.provider == kindtest.Docker {
		others["`kind load docker-image`"] = l.dockerImage
	}
	if !c.alone {
		clear(peers)
	}
	if err := l.change(ctx); err != nil {
		return err
	}
	var ours []time.Duration
	l.memory = 0
	for range loadRounds {
		if err := c.before(ctx); err != nil {
			return err
		}
		took, err := l.ours(ctx, bigImage)
		if err != nil {
			return err
		}
		ours = append(ours, took)
		for name, other := range others {
			if c.alone {
				continue
			}
			if err := c.before(ctx); err != nil {
				return err
			}
			if took, err = other(ctx); err != nil {
				return err
			}
			peers[name] = append(peers[name], took)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(peers)) {
		what := fmt.Sprintf("`load` into %d, %s, against %s", len(l.nodes), c.what, name)
		l.add(what, fmt.Sprintf("%s, %d MB", spread(ours), l.memory/1000), spread(peers[name]), faster(peers[name], ours), c.goal)
	}
	return nil
}

// huge measures the memory that a much larger image takes.
func (l *loading) huge(ctx context.Context) error {
	if err := l.wipe(ctx); err != nil {
		return err
	}
	dir := filepath.Join(l.dir, "huge")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := l.buildBase(ctx, dir, hugeImage, hugeLayers); err != nil {
		return err
	}
	l.memory = 0
	took, err := l.ours(ctx, hugeImage)
	if err != nil {
		return err
	}
	l.add(fmt.Sprintf("`load` of %d MB into %d, first time, once", hugeLayers*bigLayer/1_000_000, len(l.nodes)), fmt.Sprintf("%s, %d MB", seconds(took), l.memory/1000), "", "", "under 200 MB")
	return l.wipe(ctx)
}

// faster tells how many times as fast.
func faster(peer, ours []time.Duration) string {
	return fmt.Sprintf("%.1f×", median(peer).Seconds()/median(ours).Seconds())
}
