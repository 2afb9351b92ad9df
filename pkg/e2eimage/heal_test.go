package e2eimage

import (
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
)

// heal is what Deploy for datastorage of the consumer "suite" does first.
func (b *bench) heal() error {
	b.t.Helper()
	run, err := b.client().beginDeploy(b.t.Context(), DeployInput{Suite: suite("suite", "datastorage")})
	if err != nil {
		return err
	}
	defer run.place.Close()
	if err := run.look(b.t.Context()); err != nil {
		return err
	}
	return run.heal(b.t.Context())
}

func TestDeployHealsANodeThatLostTheTag(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	image := b.tagged("suite")
	b.cluster.Change(func(n *kindnodetest.Node) { n.Forget(image) }, "dev-worker")
	if err := b.heal(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(everywhere(image, "tests.suite.datastorage"), b.cluster.Tags()); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
}

func TestDeployHealsANodeThatLostTheImageFromAnotherNode(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	image := b.tagged("suite")
	b.cluster.Change(func(n *kindnodetest.Node) { n.Forget(image, source); n.Remove(imageID) }, "dev-worker")
	if err := b.heal(); err != nil {
		t.Fatal(err)
	}
	// The copy is the record's, so that clean takes it away.
	if diff := cmp.Diff(everywhere(image, "tests.suite.datastorage"), b.cluster.Tags()); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
}

func TestARecordThatIsCleanedWhileItIsDeployedIsNotPutBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tagged("suite")
	var first atomic.Bool
	// The first node that is asked has no tag any more, and its record is going.
	b.cluster.Before = func(call, _ string) error {
		if call == asks && first.CompareAndSwap(false, true) {
			_, err := b.clean(unchanged)
			return err
		}
		return nil
	}
	err := b.heal()
	is[*InconsistentError](t, err, "was removed while it was being deployed", "kubectl e2eimage tag datastorage")
	if len(b.cluster.Tags()) > 0 || b.configMap("suite") != nil {
		t.Errorf("left on nodes: %v, in the API: %v", b.cluster.Tags(), b.configMap("suite"))
	}
}
