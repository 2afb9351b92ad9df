package kindnode_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
)

const moving = "localhost/a:moving"

// holds are the nodes' image IDs under a name, in the nodes' order.
func holds(fake *kindnodetest.Cluster, name string, nodes ...string) []string {
	var ids []string
	for _, node := range nodes {
		fake.Change(func(n *kindnodetest.Node) { ids = append(ids, n.Images[name]) }, node)
	}
	return ids
}

// two is a cluster whose nodes have two images, and a way in for each of two runs.
func two(t *testing.T, nodes ...string) (*kindnodetest.Cluster, [2]*kindnode.Cluster) {
	t.Helper()
	fake, first := newCluster(t, nodes...)
	fake.Load("localhost/b:dev", otherID)
	second, err := kindnode.Find(t.Context(), fake, kindnode.Query{Name: "dev"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(second.Close)
	return fake, [2]*kindnode.Cluster{first, second}
}

func TestTwoImagesThatGetOneNameAtOnceAreNotMixed(t *testing.T) {
	t.Parallel()
	nodes := []string{"n1", "n2", "n3"}
	// Where the first run stands still until the second has ended: ahead of a call of a
	// node, counted from its first.
	for _, node := range nodes {
		for _, call := range []string{"Images/Create", "Images/Get", "Images/Update", "ImageService/ImageStatus"} {
			for nth := range 3 {
				t.Run(strings.ReplaceAll(call, "/", "-")+" "+node, func(t *testing.T) {
					t.Parallel()
					fake, clusters := two(t, nodes...)
					fake.Load(moving, otherID)
					var count atomic.Int32
					var second error
					fake.Before = func(made, on string) error {
						if made == call && on == node && int(count.Add(1)) == nth+1 {
							second = clusters[1].GiveNames(t.Context(), nodes, otherID, []kindnode.Name{{Text: moving}})
						}
						return nil
					}
					first := clusters[0].GiveNames(t.Context(), nodes, imageID, []kindnode.Name{{Text: moving}})
					wantOneWinner(t, fake, nodes, first, second, int(count.Load()) > nth)
				})
			}
		}
	}
}

// wantOneWinner wants all nodes to have the image of a run that succeeded; ran is
// whether the second run took place.
func wantOneWinner(t *testing.T, fake *kindnodetest.Cluster, nodes []string, first, second error, ran bool) {
	t.Helper()
	held := holds(fake, moving, nodes...)
	if len(slices.Compact(slices.Clone(held))) != 1 {
		t.Errorf("the nodes have %v; the runs ended with %v and %v", held, first, second)
	}
	winner := map[string]error{imageID: first, otherID: second}[held[0]]
	if winner != nil || !ran && held[0] != imageID {
		t.Errorf("the nodes have %s, the runs ended with %v and %v", held[0], first, second)
	}
	for _, err := range []error{first, second} {
		var moved *kindnode.MovedError
		if err != nil && !errors.As(err, &moved) {
			t.Errorf("it failed otherwise: %v", err)
		}
	}
}

func TestManyImagesThatGetOneNameAtOnceAreNotMixed(t *testing.T) {
	t.Parallel()
	nodes := []string{"n1", "n2", "n3"}
	for range 30 {
		fake, clusters := two(t, nodes...)
		var all sync.WaitGroup
		var errs [2]error
		for i, id := range []string{imageID, otherID} {
			all.Go(func() {
				errs[i] = clusters[i].GiveNames(t.Context(), nodes, id, []kindnode.Name{{Text: moving}})
			})
		}
		all.Wait()
		wantOneWinner(t, fake, nodes, errs[0], errs[1], true)
	}
}

func TestANameThatARecordTakesWhileItIsMovedGoesBack(t *testing.T) {
	t.Parallel()
	fake, clusters := two(t, "n1", "n2")
	fake.Load(moving, imageID)
	tagging := kindnode.TagOp{ImageID: imageID, Target: moving, Owner: owner}
	var begun atomic.Bool
	fake.Before = func(call, node string) error {
		var err error
		if call == "Images/Update" && node == "n1" && begun.CompareAndSwap(false, true) {
			_, err = clusters[0].Tag(t.Context(), []string{"n1", "n2"}, []kindnode.TagOp{tagging})
		}
		return err
	}
	err := clusters[1].GiveNames(t.Context(), []string{"n1", "n2"}, otherID, []kindnode.Name{{Text: moving}})
	var taken *kindnode.TakenError
	if !errors.As(err, &taken) || taken.Owner != owner {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff([]string{imageID, imageID}, holds(fake, moving, "n1", "n2")); diff != "" || len(fake.Tags()) != 2 {
		t.Errorf("owned %v, names (-want +got):\n%s", fake.Tags(), diff)
	}
}

func TestANameThatMovesWhileARecordTakesItIsNotTheRecords(t *testing.T) {
	t.Parallel()
	fake, clusters := two(t, "n1")
	fake.Load(moving, imageID)
	var begun atomic.Bool
	fake.Before = func(call, _ string) error {
		var err error
		if call == "Images/Update" && begun.CompareAndSwap(false, true) {
			err = clusters[1].GiveNames(t.Context(), []string{"n1"}, otherID, []kindnode.Name{{Text: moving}})
		}
		return err
	}
	_, err := clusters[0].Tag(t.Context(), []string{"n1"}, []kindnode.TagOp{{ImageID: imageID, Target: moving, Owner: owner}})
	var moved *kindnode.MovedError
	if !errors.As(err, &moved) || len(fake.Tags()) > 0 || holds(fake, moving, "n1")[0] != otherID {
		t.Errorf("error %v, owned %v", err, fake.Tags())
	}
}

func TestANameThatWasThereGetsItsOwner(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		held, heldBy string
		op           kindnode.TagOp
		want         kindnode.Tagged
	}{
		"of the same image":                        {imageID, "", op, kindnode.Tagged{Target: target, ImageID: imageID, Owner: owner}},
		"of another image":                         {otherID, "", op, kindnode.Tagged{Target: target, ImageID: otherID}},
		"of another image, and has to go back":     {otherID, "", back(op), kindnode.Tagged{Target: target, ImageID: imageID, Owner: owner}},
		"its own, and has to go back":              {otherID, owner, back(op), kindnode.Tagged{Target: target, ImageID: imageID, Owner: owner}},
		"of another record":                        {imageID, "ns.d.a", op, kindnode.Tagged{Target: target, ImageID: imageID, Owner: "ns.d.a"}},
		"of another record's image, and goes back": {otherID, "ns.d.a", back(op), kindnode.Tagged{Target: target, ImageID: otherID, Owner: "ns.d.a"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, cluster := newCluster(t, "n1")
			fake.Load("localhost/b:dev", otherID)
			fake.Load(target, test.held)
			if test.heldBy != "" {
				fake.Change(func(n *kindnodetest.Node) { n.Owners[target] = test.heldBy })
			}
			done, err := cluster.Tag(t.Context(), []string{"n1"}, []kindnode.TagOp{test.op})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]kindnode.Tagged{test.want}, done["n1"]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			tags := []string(nil)
			if test.want.Owner != "" {
				tags = []string{"n1 " + target + " " + test.want.Owner}
			}
			if diff := cmp.Diff(tags, fake.Tags()); diff != "" {
				t.Errorf("owned (-want +got):\n%s", diff)
			}
		})
	}
}

func back(op kindnode.TagOp) kindnode.TagOp {
	op.Back = true
	return op
}

func TestANameIsLeftToNobodyByItsOwnerOnly(t *testing.T) {
	t.Parallel()
	fake, cluster := newCluster(t, "n1")
	if _, err := cluster.Tag(t.Context(), []string{"n1"}, []kindnode.TagOp{op}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		owner string
		left  int
	}{{"ns.d.a", 1}, {owner, 0}} {
		err := cluster.Disown(t.Context(), []string{"n1"}, []kindnode.UntagOp{{Name: target, Owner: test.owner}, {Name: "localhost/none:1", Owner: test.owner}})
		if err != nil || len(fake.Tags()) != test.left || holds(fake, target, "n1")[0] != imageID {
			t.Errorf("%s: owned %v, error %v", test.owner, fake.Tags(), err)
		}
	}
}

func TestAnImageThatGoesWithItsOnlyNameWasMovedByTheOther(t *testing.T) {
	t.Parallel()
	fake, clusters := two(t, "n1", "n2")
	var begun atomic.Bool
	fake.Before = func(_, node string) error {
		if node == "n2" && begun.CompareAndSwap(false, true) {
			fake.Change(func(n *kindnodetest.Node) {
				for name, id := range n.Images {
					if id == imageID {
						delete(n.Images, name)
					}
				}
				n.Remove(imageID)
				n.Images[moving] = otherID
			}, "n1", "n2")
		}
		return nil
	}
	err := clusters[0].GiveNames(t.Context(), []string{"n1", "n2"}, imageID, []kindnode.Name{{Text: moving}})
	var moved *kindnode.MovedError
	if !errors.As(err, &moved) || moved.ImageID != otherID {
		t.Errorf("error %v", err)
	}
}
