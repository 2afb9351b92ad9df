package kindnode_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
)

const (
	source  = "localhost/a:dev"
	target  = "localhost/a:1"
	owner   = "ns.c.a"
	imageID = "sha256:1111"
	otherID = "sha256:2222"
)

var op = kindnode.TagOp{ImageID: imageID, Target: target, Owner: owner}

// newCluster returns a cluster whose nodes have the source, and the way in.
func newCluster(t *testing.T, nodes ...string) (*kindnodetest.Cluster, *kindnode.Cluster) {
	t.Helper()
	fake := kindnodetest.New("dev", []byte("CA\n"), nodes...)
	fake.Load(source, imageID)
	cluster, err := kindnode.Find(t.Context(), fake, kindnode.Query{Name: "dev"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return fake, cluster
}

func TestEverythingOnANodeGoesThroughOneExec(t *testing.T) {
	t.Parallel()
	fake, cluster := newCluster(t, "n1", "n2")
	if _, err := cluster.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	done, err := cluster.Tag(t.Context(), cluster.Names(), []kindnode.TagOp{op})
	if err != nil {
		t.Fatal(err)
	}
	want := []kindnode.Tagged{{Target: target, Added: true, ImageID: imageID, Owner: owner}}
	if diff := cmp.Diff(map[string][]kindnode.Tagged{"n1": want, "n2": want}, done); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	gone, err := cluster.Untag(t.Context(), cluster.Names(), []kindnode.UntagOp{{Name: target, Owner: owner}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]kindnode.Untagged{{Name: target, Removed: true, ImageID: imageID}}, gone["n2"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if fake.Count(kindnodetest.Exec) != 2 {
		t.Errorf("calls %v", fake.Calls())
	}
}

// argvOf remembers the commands on the host.
type argvOf struct {
	hostexec.Runner
	argv atomic.Pointer[[]string]
}

func (a *argvOf) Run(ctx context.Context, command hostexec.Command) error {
	if command.Argv[1] == "exec" {
		a.argv.Store(&command.Argv)
	}
	return a.Runner.Run(ctx, command)
}

func TestNoValueIsEverInACommandLine(t *testing.T) {
	t.Parallel()
	fake, _ := newCluster(t, "n1")
	remembered := &argvOf{Runner: fake}
	cluster, err := kindnode.Find(t.Context(), remembered, kindnode.Query{Name: "dev"})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	if _, err := cluster.Tag(t.Context(), []string{"n1"}, []kindnode.TagOp{op}); err != nil {
		t.Fatal(err)
	}
	argv := *remembered.argv.Load()
	want := []string{"podman", "exec", "--interactive", "n1", "timeout", "--kill-after=5", "3600", "perl", "-e"}
	if diff := cmp.Diff(want, argv[:len(argv)-1]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, value := range []string{target, owner, imageID} {
		if strings.Contains(argv[len(argv)-1], value) {
			t.Errorf("the script has %s in it", value)
		}
	}
}

func TestAnExistingNameIsNeverOverwritten(t *testing.T) {
	t.Parallel()
	fake, cluster := newCluster(t, "n1")
	fake.Load(target, otherID)
	done, err := cluster.Tag(t.Context(), []string{"n1"}, []kindnode.TagOp{op})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]kindnode.Tagged{{Target: target, ImageID: otherID}}, done["n1"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestUntagLeavesNamesOfOthersAndSaysWhatWasAbsent(t *testing.T) {
	t.Parallel()
	fake, cluster := newCluster(t, "n1")
	fake.Load("localhost/theirs:1", imageID)
	done, err := cluster.Untag(t.Context(), []string{"n1"}, []kindnode.UntagOp{{Name: "localhost/theirs:1", Owner: owner}, {Name: target, Owner: owner}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]kindnode.Untagged{{Name: "localhost/theirs:1"}, {Name: target}}, done["n1"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnImageThatNothingNamesGoesUnlessItRuns(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		container kindnode.Container
		freed     bool
	}{
		"a container runs it":                        {kindnode.Container{ImageRef: imageID}, false},
		"a container is about to be restarted":       {kindnode.Container{ImageRef: imageID, Exited: true, PodID: "there"}, false},
		"what a deleted pod left":                    {kindnode.Container{ImageRef: imageID, Exited: true, PodID: "gone"}, true},
		"a container runs another image of the node": {kindnode.Container{ImageRef: otherID}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, cluster := newCluster(t, "n1")
			if _, err := cluster.Tag(t.Context(), []string{"n1"}, []kindnode.TagOp{op}); err != nil {
				t.Fatal(err)
			}
			fake.Change(func(n *kindnodetest.Node) {
				n.Forget(source)
				n.Pods, n.Containers = []string{"there"}, []kindnode.Container{test.container}
			})
			done, err := cluster.Untag(t.Context(), []string{"n1"}, []kindnode.UntagOp{{Name: target, Owner: owner}})
			if err != nil {
				t.Fatal(err)
			}
			states, err := cluster.Probe(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if there := states["n1"].ID(imageID) != ""; done["n1"][0].Freed != test.freed || there == test.freed {
				t.Errorf("freed %v, still there %v", done["n1"][0].Freed, there)
			}
		})
	}
}

func TestOneNodeThatFailsDoesNotHideTheOthers(t *testing.T) {
	t.Parallel()
	fake, cluster := newCluster(t, "n1", "n2")
	fake.Before = func(call, node string) error {
		if call == "Images/Create" && node == "n2" {
			return status.Error(codes.Unavailable, "no space left on device")
		}
		return nil
	}
	done, err := cluster.Tag(t.Context(), cluster.Names(), []kindnode.TagOp{op})
	var failed kindnode.NodeErrors
	if !errors.As(err, &failed) || len(failed) != 1 || !strings.Contains(err.Error(), "node n2: Images/Create: ") || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("error %v", err)
	}
	if len(done["n1"]) != 1 {
		t.Errorf("the answer of n1 is lost: %v", done)
	}
}

func TestACancelledChangeIsWaitedForNotCutShort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, cluster := newCluster(t, "n1")
		ctx, cancel := context.WithCancel(t.Context())
		fake.Before = func(call, _ string) error {
			if call == "Images/Create" {
				cancel()
				time.Sleep(3 * time.Second) // in synctest's bubble its clock jumps: nobody waits
			}
			return nil
		}
		done, err := cluster.Tag(ctx, []string{"n1"}, []kindnode.TagOp{op})
		if err != nil || len(done["n1"]) != 1 || done["n1"][0].ImageID != imageID {
			t.Errorf("%v, error %v", done, err)
		}
		cluster.Close()
		synctest.Wait()
	})
}

func TestACancelledRunBeginsNoFurtherOperation(t *testing.T) {
	t.Parallel()
	fake, cluster := newCluster(t, "n1")
	ctx, cancel := context.WithCancel(t.Context())
	fake.After = func(call, _ string) {
		if call == "Images/Create" {
			cancel()
		}
	}
	second := kindnode.TagOp{ImageID: imageID, Target: "localhost/a:2", Owner: owner}
	if _, err := cluster.Tag(ctx, []string{"n1"}, []kindnode.TagOp{op, second}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff([]string{"n1 " + target + " " + owner}, fake.Tags()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// hang lets a call to a node never be answered.
func hang(fake *kindnodetest.Cluster, hanging string, then func()) (release func()) {
	hung := make(chan struct{})
	fake.Before = func(call, _ string) error {
		if call == hanging {
			then()
			<-hung
		}
		return nil
	}
	return func() { close(hung) }
}

func TestACancelledChangeThatHangsIsLeftAfterTheGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, cluster := newCluster(t, "n1")
		ctx, cancel := context.WithCancel(t.Context())
		defer hang(fake, "Images/Create", cancel)()
		begun := time.Now()
		_, err := cluster.Tag(ctx, []string{"n1"}, []kindnode.TagOp{op})
		if waited := time.Since(begun); !errors.Is(err, context.Canceled) || waited != 10*time.Second {
			t.Errorf("left after %s: %v", waited, err)
		}
	})
}

func TestANodeThatDoesNotAnswerIsGivenUpAndNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, cluster := newCluster(t, "n1", "n2")
		defer hang(fake, "ImageService/ListImages", func() {})()
		_, err := cluster.Probe(t.Context())
		var silent *kindnode.NoResponseError
		if !errors.As(err, &silent) || !strings.Contains(err.Error(), "node n2: ") || !strings.Contains(err.Error(), "paused") {
			t.Errorf("error %v", err)
		}
	})
}

// cut lets the test end the execs of a cluster.
type cut struct {
	hostexec.Runner
	mu   sync.Mutex
	ends []context.CancelFunc
}

func (c *cut) Run(ctx context.Context, command hostexec.Command) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if command.Argv[1] == "exec" {
		c.mu.Lock()
		c.ends = append(c.ends, cancel)
		c.mu.Unlock()
	}
	return c.Runner.Run(ctx, command)
}

func (c *cut) all() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, end := range c.ends {
		end()
	}
}

func TestABrokenConnectionIsMadeAnewUnlessTheNodeIsAnotherOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, _ := newCluster(t, "n1")
		breaking := &cut{Runner: fake}
		cluster, err := kindnode.Find(t.Context(), breaking, kindnode.Query{Name: "dev"})
		if err != nil {
			t.Fatal(err)
		}
		defer cluster.Close()
		for range 2 {
			if _, err := cluster.Probe(t.Context()); err != nil {
				t.Fatal(err)
			}
			breaking.all()
			synctest.Wait()
		}
		if fake.Count(kindnodetest.Exec) != 2 {
			t.Errorf("calls %v", fake.Calls())
		}
		fake.Change(func(n *kindnodetest.Node) { n.CA = []byte("another\n") })
		if _, err := cluster.Tag(t.Context(), []string{"n1"}, []kindnode.TagOp{op}); err == nil || !strings.Contains(err.Error(), "certificate authority has changed") {
			t.Errorf("error %v", err)
		}
		if len(fake.Tags()) > 0 {
			t.Errorf("it was tagged: %v", fake.Tags())
		}
	})
}

func TestACleanThatIsCutOffLeavesATagRatherThanAnImageThatNothingNames(t *testing.T) {
	t.Parallel()
	for nth := range int32(2) {
		fake, cluster := newCluster(t, "n1")
		if _, err := cluster.Tag(t.Context(), []string{"n1"}, []kindnode.TagOp{op}); err != nil {
			t.Fatal(err)
		}
		fake.Change(func(n *kindnodetest.Node) { n.Forget(source) })
		var deletes atomic.Int32
		fake.Before = func(call, _ string) error {
			if call == "Images/Delete" && deletes.Add(1) == nth+1 {
				return errors.New("cut off")
			}
			return nil
		}
		untag := []kindnode.UntagOp{{Name: target, Owner: owner}}
		if _, err := cluster.Untag(t.Context(), []string{"n1"}, untag); err == nil {
			t.Error("nothing was cut off")
		}
		if len(fake.Tags()) != 1 {
			t.Errorf("delete %d was cut off, and the tag is gone: %v", nth, fake.Calls())
		}
		done, err := cluster.Untag(t.Context(), []string{"n1"}, untag)
		if err != nil || !done["n1"][0].Freed || len(fake.Tags()) > 0 {
			t.Errorf("%v, %v; left: %v", done, err, fake.Tags())
		}
	}
}

func TestANodeThatCannotBeEnteredIsNamedWithWhatTheEngineSaid(t *testing.T) {
	t.Parallel()
	fake, cluster := newCluster(t, "n1", "n2")
	fake.Before = func(call, node string) error {
		if call == kindnodetest.Exec && node == "n1" {
			return errors.New("container is paused")
		}
		return nil
	}
	states, err := cluster.Probe(t.Context())
	if err == nil || !strings.Contains(err.Error(), "node n1: podman exec --interactive n1 …: container is paused") {
		t.Errorf("error %v", err)
	}
	if states["n2"].ID(source) != imageID {
		t.Errorf("the answer of n2 is lost: %v", states)
	}
}

func TestProbeReadsWhatANodeSays(t *testing.T) {
	t.Parallel()
	fake, cluster := newCluster(t, "n1")
	running := kindnode.Container{Created: time.Unix(0, 0), ID: "c1", ImageRef: imageID, Image: target, PodID: "p1", Namespace: "ns", Pod: "a-0"}
	fake.Change(func(n *kindnodetest.Node) {
		n.Images[target], n.Owners[target] = imageID, owner
		n.Pulled = map[string][]string{imageID: {"example.com/b", "example.com/a"}, otherID: nil}
		n.Containers, n.Pods = []kindnode.Container{running}, []string{"p1"}
	})
	states, err := cluster.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	state := states["n1"]
	if state.Platform != "linux/amd64" || strings.TrimSpace(string(state.CA)) != "CA" || state.ID(target) != imageID || state.ID("localhost/c:1") != "" {
		t.Errorf("platform %s, CA %q, images %v", state.Platform, state.CA, state.Images)
	}
	if diff := cmp.Diff(map[string]string{target: owner}, state.Owners); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"example.com/a", "example.com/b"}, state.Pulled[imageID].Repositories()); diff != "" {
		t.Errorf("pulled (-want +got):\n%s", diff)
	}
	if states, err = cluster.ProbeUse(t.Context()); err != nil || !slices.Equal(states["n1"].Containers, []kindnode.Container{running}) || !states["n1"].Runs(imageID) {
		t.Errorf("%v, containers %v", err, states["n1"].Containers)
	}
}
