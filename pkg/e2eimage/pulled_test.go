package e2eimage

import (
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
)

const pulledFrom = "registry.example/team/storage"

// pull notes on nodes that their kubelet pulled the source itself.
func (b *bench) pull(repositories []string, nodes ...string) {
	b.cluster.Change(func(n *kindnodetest.Node) { n.Pulled = map[string][]string{imageID: repositories} }, nodes...)
}

func TestAnImageThatAKubeletPulledIsRecordedWhereItMayStart(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.pull([]string{pulledFrom}, "dev-worker")
	image, err := b.tag(asIs)
	if err != nil || !strings.HasPrefix(image, pulledFrom+":suite-") {
		t.Errorf("%s, %v", image, err)
	}
}

func TestARepositoryThatWasAskedForAndCannotStartIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.pull([]string{pulledFrom}, "dev-worker")
	_, err := b.tag(func(i *config.Image) { i.Repository = "localhost/storage" })
	is[*InconsistentError](t, err, "node dev-worker pulled sha256:111111111111 itself as "+pulledFrom, "--repository "+pulledFrom)
}

func TestARepositoryThatWasAskedForAndWasPulledIsTaken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.pull([]string{"localhost/storage", pulledFrom})
	image, err := b.tag(func(i *config.Image) { i.Repository = pulledFrom })
	if err != nil || !strings.HasPrefix(image, pulledFrom+":") {
		t.Errorf("%s, %v", image, err)
	}
}

func TestNodesThatPulledUnderDifferentNamesAreInconsistent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.pull([]string{pulledFrom}, "dev-worker")
	b.pull([]string{"other.example/storage"}, "dev-worker2")
	_, err := b.tag(asIs)
	is[*InconsistentError](t, err, "dev-worker2", "other.example/storage")
}

func TestOtherImagesThatAKubeletPulledDoNotMatter(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.cluster.Change(func(n *kindnodetest.Node) { n.Pulled = map[string][]string{otherID: {pulledFrom}} })
	image, err := b.tag(asIs)
	if err != nil || !strings.HasPrefix(image, config.DefaultRepository("datastorage")+":") {
		t.Errorf("%s, %v", image, err)
	}
}

func TestAnImageThatMayStartUnderNoNameIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.pull(nil)
	_, err := b.tag(asIs)
	is[*InconsistentError](t, err, "--repository REPOSITORY")
}
