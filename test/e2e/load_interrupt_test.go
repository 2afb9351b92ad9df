package e2e

import (
	"strings"
	"syscall"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/faults"
)

// loadSteps are the points of load at which a node is being changed.
var loadSteps = []step{
	{call: "Leases/Create"},
	{call: "Content/Write"},
	{call: "Content/Write", after: true},
	{call: "Snapshots/Prepare"},
	{call: "Diff/Apply"},
	{call: "Diff/Apply", slow: true},
	{call: "Snapshots/Commit", after: true},
	{call: "Images/Create"},
	{call: "Images/Create", after: true},
}

func TestLoadInterruptedAtAnyStep(t *testing.T) {
	t.Parallel()
	for _, at := range loadSteps {
		t.Run(at.String(), func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
				ref := "localhost/" + u.namespace + "-" + strings.ToLower(signal.String()) + ":dev"
				image := u.service(ref, text("/signal", u.namespace+signal.String()))
				id, err := image.ImageID()
				if err != nil {
					t.Fatal(err)
				}
				load := []string{"load", "--source", "docker-archive:" + u.archive(image)}
				result := u.interrupted(signal, at, load...)
				if result.code != exits[signal] && result.code != 0 {
					t.Errorf("%s: exit %d: %s", signal, result.code, result.stderr)
				}
				for node, has := range imagesOn(t) {
					if got := has[ref]; got != "" && got != id {
						t.Errorf("%s: node %s has half of it under its name: %s", signal, node, got)
					}
				}
				u.must(load...)
				for node, has := range imagesOn(t) {
					if has[ref] != id {
						t.Errorf("%s: run again, node %s has %q", signal, node, has[ref])
					}
				}
			}
		})
	}
}

func TestANodeThatFailsDoesNotKeepTheOthersFromTheImage(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	ref := "localhost/" + u.namespace + ":dev"
	image := u.service(ref, text("/content", u.namespace))
	id, err := image.ImageID()
	if err != nil {
		t.Fatal(err)
	}
	archive := u.archive(image)
	env := u.env
	u.faulty(faults.Rule{Call: "Diff/Apply", Node: suite.nodes[1], Fail: "injected failure"})
	result := u.finish(u.plugin("load", "--source", "docker-archive:"+archive), nil)
	wantRefused(t, result, 1, suite.nodes[1], "injected failure", suite.nodes[0]+", "+suite.nodes[2]+" got it", "run again")
	for i, node := range suite.nodes {
		if got := imagesOn(t)[node][ref]; (got == id) != (i != 1) {
			t.Errorf("node %s has %q", node, got)
		}
	}
	u.env = env
	if got := u.load("--source", "docker-archive:"+archive).Images[0]; got.Nodes[0].Sent != 0 || got.Nodes[1].Node != suite.nodes[1] {
		t.Errorf("run again: %+v", got)
	}
	if got := imagesOn(t)[suite.nodes[1]][ref]; got != id {
		t.Errorf("run again, node %s has %q", suite.nodes[1], got)
	}
}

func TestTwoLoadsOfOneImageAtOnce(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	ref := "localhost/" + u.namespace + ":dev"
	image := u.service(ref, text("/content", strings.Repeat(u.namespace, 100_000)))
	id, err := image.ImageID()
	if err != nil {
		t.Fatal(err)
	}
	archive := u.archive(image)
	done := make(chan outcome)
	for range 4 {
		go func() { done <- u.e2eimage("load", "--source", "docker-archive:"+archive) }()
	}
	for range 4 {
		if result := <-done; result.code != 0 {
			t.Errorf("exit %d: %s", result.code, result.stderr)
		}
	}
	for node, has := range imagesOn(t) {
		if has[ref] != id {
			t.Errorf("node %s has %q", node, has[ref])
		}
	}
}
