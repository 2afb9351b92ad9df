package e2eimage

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
)

// killing ends a run, as kill -9 does, before a command of an engine.
type killing struct {
	hostexec.Runner
	before string
}

// killed is what a run panics with in the place of SIGKILL: it ends at that command, as near
// to a kill as a test in one process gets.
type killed struct{}

func (k killing) Run(ctx context.Context, command hostexec.Command) error {
	if strings.Contains(strings.Join(command.Argv, " "), k.before) {
		// An error would let the build take back what it did.
		panic(killed{})
	}
	return k.Runner.Run(ctx, command)
}

func TestAKilledBuildLeavesNoNameThatNoLockKnows(t *testing.T) {
	t.Parallel()
	for _, before := range []string{"podman tag", "localhost/app:dev", "podman image rm"} {
		t.Run(before, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, map[string]string{"app": "FROM scratch\n"})
			h.suite.KeepPrevious = 0
			if _, err := h.build(); err != nil {
				t.Fatal(err)
			}
			h.write("app/file", "second")
			client := h.client()
			client.runner = killing{h, before}
			run, err := client.beginBuild(t.Context(), BuildInput{Suite: h.suite})
			if err != nil {
				t.Fatal(err)
			}
			func() {
				defer func() {
					if recover() != (killed{}) {
						t.Error("it was not killed")
					}
				}()
				_, _ = run.one(t.Context(), *h.image("app"))
			}()
			known := []string{"localhost/app:dev"}
			entry := h.lock().Images["app"]
			known = append(known, entry.Image)
			for _, s := range entry.Supersedes {
				if s.Engine != "" {
					known = append(known, s.Image)
				}
			}
			for name := range h.names {
				if !strings.HasPrefix(name, "sha256:") && !slices.Contains(known, name) {
					t.Errorf("the engine has %s, the lock %v", name, known)
				}
			}
			// The next one mends all.
			h.up()
			now := h.lock().Images["app"]
			if h.find(now.Image) != now.EngineID {
				t.Errorf("the lock has %+v, the engine %v", now, h.names)
			}
		})
	}
}

func TestANameThatCannotBeGivenLeavesTheLockAsItWas(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]string{"app": "FROM scratch\n"})
	h.fails = []string{"podman tag"}
	_, err := h.build()
	says(t, err, "it was built, but could not be named localhost/app:suite-")
	if images := h.lock().Images; len(images) > 0 {
		t.Errorf("the lock has %v", images)
	}
	h.fails = nil
	if _, err := h.build(); err != nil {
		t.Fatal(err)
	}
	before := h.lock().Images["app"].Image
	h.write("app/file", "second")
	h.fails = []string{"podman tag"}
	if _, err := h.build(); err == nil {
		t.Error("no error")
	}
	if now := h.lock().Images["app"].Image; now != before {
		t.Errorf("the lock has %s, want %s", now, before)
	}
}

func TestANameThatStaysOnTheHostIsNotForgotten(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]string{"app": "FROM scratch\n"})
	h.suite.KeepPrevious = 0
	build := func(content string) *lock.Entry {
		h.write("app/file", content)
		if _, err := h.build(); err != nil {
			t.Fatal(err)
		}
		return h.lock().Images["app"]
	}
	first := build("first").Image
	h.fails = []string{"podman image rm"}
	if entry := build("second"); entry.Supersedes[0].Engine == "" {
		t.Errorf("forgotten is %+v", entry.Supersedes)
	}
	h.fails = nil
	if entry := build("third"); entry.Supersedes[0].Engine != "" || entry.Supersedes[1].Engine != "" || h.names[first] != "" {
		t.Errorf("the lock has %+v, the engine %v", entry.Supersedes, h.names)
	}
}
