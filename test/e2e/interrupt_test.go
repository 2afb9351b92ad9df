package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/faults"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
)

// step is a point at which a run is interrupted: a call to a node, or the nth
// request of its kind to the API server.
type step struct {
	call    string
	request string
	nth     int
	after   bool
	slow    bool
}

func (s step) String() string {
	name := fmt.Sprintf("before %s%s", s.call, s.request)
	if s.after {
		name = "after" + strings.TrimPrefix(name, "before")
	}
	if s.nth > 1 {
		name += fmt.Sprintf(" no %d", s.nth)
	}
	if s.slow {
		name += " slowly"
	}
	return strings.ReplaceAll(name, "/", " ")
}

// signals to send at the step. SIGTERM differs from SIGINT by the exit code alone:
// where the change begins is enough.
func (s step) signals() []syscall.Signal {
	if strings.HasPrefix(s.call, "Images/") && !s.after && !s.slow {
		return []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL}
	}
	return []syscall.Signal{syscall.SIGINT, syscall.SIGKILL}
}

// interrupted runs the plugin and sends it a signal at the step. After SIGKILL it
// waits until nothing that the run began goes on in a node.
func (u *user) interrupted(signal syscall.Signal, at step, args ...string) outcome {
	u.t.Helper()
	env := u.env
	defer func() { u.env = env }()
	var hit atomic.Bool
	mark := filepath.Join(u.dir, "reached")
	_ = os.Remove(mark)
	if at.call != "" {
		hold := 20 * time.Millisecond
		if at.slow {
			hold = 2 * time.Second
		}
		u.faulty(faults.Rule{Call: at.call, Node: suite.nodes[1], After: at.after, Signal: signal, Hold: hold, Mark: mark, Once: true})
	}
	var process atomic.Pointer[os.Process]
	if at.request != "" {
		var nth atomic.Int32
		reached := func(after bool) func(string) error {
			return func(request string) error {
				if request != at.request || after != at.after || int(nth.Add(1)) != at.nth {
					return nil
				}
				hit.Store(true)
				if p := process.Load(); p != nil {
					_ = p.Signal(signal)
				}
				// The answer must not come before the process has taken the signal.
				// Nothing outside of it tells when it has: it keeps the connection, since
				// a write that has begun is finished. An answer that is too early is a
				// run that ended before it was interrupted, which the test then says.
				time.Sleep(50 * time.Millisecond)
				return nil
			}
		}
		after := reached(true)
		u.faultyAPI(reached(false), func(request string) { _ = after(request) })
	}
	busy := filepath.Join(u.dir, "busy")
	u.env = append(u.env, faults.BusyVariable+"="+busy)
	result := u.finish(u.plugin(args...), process.Store)
	if idle, err := faults.Idle(busy, 30*time.Second); err != nil || !idle {
		u.t.Errorf("something still goes on in a node: %v", err)
	}
	if _, err := os.Stat(mark); err == nil {
		hit.Store(true)
	}
	if !hit.Load() {
		u.t.Errorf("the step was never reached: exit %d: %s", result.code, result.stderr)
	}
	return result
}

// exits are the exit codes of a run that a signal ended.
var exits = map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143, syscall.SIGKILL: -1}

// shared loads one image for all steps of a test.
func shared(t *testing.T) (source, id string) {
	t.Helper()
	u := newUser(t)
	source = "localhost/" + u.namespace + ":dev"
	return source, u.image(source)
}

// chosen are all steps on podman, and on docker those at which a node is being
// changed: only there does it matter which engine carries the connection.
func chosen(steps []step) []step {
	if suite.provider == kindtest.Podman {
		return steps
	}
	return slices.DeleteFunc(slices.Clone(steps), func(s step) bool {
		return !strings.HasPrefix(s.call, "Images/") && s.call != "RuntimeService/ListContainers"
	})
}

// atEach runs a test for each of the steps, with a user of its own.
func atEach(t *testing.T, steps []step, do func(t *testing.T, u *user, at step)) {
	t.Helper()
	for _, at := range chosen(steps) {
		t.Run(at.String(), func(t *testing.T) {
			t.Parallel()
			do(t, newUser(t), at)
		})
	}
}

// tagSteps are the points of tag, in their order.
var tagSteps = []step{
	{call: faults.Connect},
	{call: "ImageService/ListImages"},
	{request: "GET configmaps", nth: 1},
	{request: "POST configmaps", nth: 1},
	{request: "POST configmaps", nth: 1, after: true},
	{call: "Images/Create"},
	{call: "Images/Create", slow: true},
	{call: "Images/Create", after: true},
	{call: "Images/Create", after: true, slow: true},
	{call: "ImageService/ImageStatus"},
	{request: "PUT configmaps", nth: 1},
	{request: "PUT configmaps", nth: 1, after: true},
}

func TestTagInterruptedAtAnyStep(t *testing.T) {
	t.Parallel()
	source, id := shared(t)
	atEach(t, tagSteps, func(t *testing.T, u *user, at step) {
		tag := []string{"tag", "datastorage", "--source", source, "--consumer", u.namespace}
		for _, signal := range at.signals() {
			result := u.interrupted(signal, at, tag...)
			recorded := u.consistent("datastorage", id)
			switch {
			case signal == syscall.SIGKILL:
			case result.code == 0:
				// The signal came when all was done.
				if !recorded {
					t.Errorf("%s: exit 0, but nothing is recorded", signal)
				}
				u.must("clean", "datastorage")
			case result.code != exits[signal]:
				t.Errorf("%s: exit %d: %s", signal, result.code, result.stderr)
			case recorded:
				t.Errorf("%s: exit %d, but it is recorded: %s", signal, result.code, result.stderr)
			default:
				u.nothingLeft("localhost/datastorage:" + u.namespace)
			}
		}
		image := u.must(tag...)
		if !u.consistent("datastorage", id) {
			t.Error("the next run recorded nothing")
		}
		for node, has := range imagesOn(t) {
			if got := has.with("localhost/datastorage:" + u.namespace); !slices.Equal(got, []string{image}) {
				t.Errorf("node %s has %v, recorded is %s", node, got, image)
			}
		}
	})
}

var cleanSteps = []step{
	{call: faults.Connect},
	{request: "GET configmaps", nth: 1},
	{request: "PUT configmaps", nth: 1},
	{request: "PUT configmaps", nth: 1, after: true},
	{call: "Images/Delete"},
	{call: "Images/Delete", slow: true},
	{call: "Images/Delete", after: true},
	{request: "DELETE configmaps", nth: 1},
	{request: "DELETE configmaps", nth: 1, after: true},
}

func TestCleanInterruptedAtAnyStep(t *testing.T) {
	t.Parallel()
	source, id := shared(t)
	atEach(t, cleanSteps, func(t *testing.T, u *user, at step) {
		for _, signal := range at.signals() {
			u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
			result := u.interrupted(signal, at, "clean", "datastorage", "--consumer", u.namespace)
			recorded := u.consistent("datastorage", id)
			if signal != syscall.SIGKILL {
				if result.code != exits[signal] && result.code != 0 {
					t.Errorf("%s: exit %d: %s", signal, result.code, result.stderr)
				}
				// All or nothing: what had begun was finished.
				if !recorded {
					u.nothingLeft("localhost/datastorage:" + u.namespace)
				}
			}
			if result := u.e2eimage("clean", "datastorage", "--consumer", u.namespace); result.code != 0 && !strings.Contains(result.stderr, "no record") {
				t.Errorf("%s: cleaned again: exit %d: %s", signal, result.code, result.stderr)
			}
			u.nothingLeft("localhost/datastorage:" + u.namespace)
		}
	})
}
