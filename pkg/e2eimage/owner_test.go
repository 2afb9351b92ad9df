package e2eimage

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
)

func TestANameThatWasThereBecomesTheRecords(t *testing.T) {
	t.Parallel()
	for name, tag := range map[string]string{"another of the image's": "v1", "the source's own": "dev"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			want := "localhost/datastorage:" + tag
			b.cluster.Load(want, imageID)
			image, err := b.tag(func(i *config.Image) { i.Tag = tag })
			if err != nil || image != want {
				t.Fatalf("%s, %v", image, err)
			}
			if diff := cmp.Diff(everywhere(want, "tests.suite.datastorage"), b.cluster.Tags()); diff != "" {
				t.Errorf("nodes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestANameThatWasThereStaysWhereTaggingFails(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.cluster.Before = failing("ImageService/ImageStatus", "dev-worker2")
	_, err := b.tag(func(i *config.Image) { i.Tag = "dev" })
	says(t, err, "dev-worker2")
	for _, node := range []string{"dev-control-plane", "dev-worker", "dev-worker2"} {
		if b.imagesOn(node)[source] != imageID {
			t.Errorf("node %s has %v", node, b.imagesOn(node))
		}
	}
	if len(b.cluster.Tags()) > 0 || b.configMap("suite") != nil {
		t.Errorf("owned: %v, in the API: %v", b.cluster.Tags(), b.configMap("suite"))
	}
}

func TestARecordedTagWithoutItsOwnerGetsItAgain(t *testing.T) {
	t.Parallel()
	for verb, run := range map[string]func(*bench) error{
		"tag":    func(b *bench) error { _, err := b.tag(func(*config.Image) {}); return err },
		"deploy": func(b *bench) error { return b.heal() },
	} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			image := b.tagged("suite")
			b.cluster.Change(func(n *kindnodetest.Node) { delete(n.Owners, image) }, "dev-worker", "dev-worker2")
			if err := run(b); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(everywhere(image, "tests.suite.datastorage"), b.cluster.Tags()); diff != "" {
				t.Errorf("nodes (-want +got):\n%s", diff)
			}
		})
	}
}

// astray gives a recorded tag on nodes to another image, as other tools do, while a pod
// runs it.
func (b *bench) astray(image string, nodes ...string) {
	b.t.Helper()
	b.cluster.Load("localhost/other:dev", otherID)
	b.cluster.Change(func(n *kindnodetest.Node) {
		n.Images[image] = otherID
		delete(n.Owners, image)
		n.Containers = []kindnode.Container{container(image, imageID, false)}
	}, nodes...)
}

func TestARecordedTagThatWentAstrayIsPutBack(t *testing.T) {
	t.Parallel()
	all := []string{"dev-control-plane", "dev-worker", "dev-worker2"}
	for name, test := range map[string]struct {
		nodes []string
		run   func(*bench) error
	}{
		"by deploy, from another name":      {all[2:], func(b *bench) error { return b.heal() }},
		"by tag, also where no node has it": {all, func(b *bench) error { _, err := b.tag(func(*config.Image) {}); return err }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			image := b.tagged("suite")
			b.astray(image, test.nodes...)
			if err := test.run(b); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(everywhere(image, "tests.suite.datastorage"), b.cluster.Tags()); diff != "" || b.records("suite")["datastorage"] != image {
				t.Errorf("records %v, nodes (-want +got):\n%s", b.records("suite"), diff)
			}
			for _, node := range all {
				if got := b.imagesOn(node)[image]; got != imageID {
					t.Errorf("node %s has %s", node, got)
				}
			}
		})
	}
}

func TestWhatDeploySaysOfATagThatAllNodesHaveOtherwiseMendsIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.astray(b.tagged("suite"), "dev-control-plane", "dev-worker", "dev-worker2")
	is[*InconsistentError](t, b.heal(), "instead of the recorded", "tag the right image: kubectl e2eimage tag datastorage -n tests --consumer suite")
	if _, err := b.tag(func(*config.Image) {}); err != nil {
		t.Fatal(err)
	}
	if err := b.heal(); err != nil {
		t.Error(err)
	}
}
