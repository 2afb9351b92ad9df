package e2eimage

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// commands gives a host whose image is built by a command.
func commands(t *testing.T) *host {
	t.Helper()
	h := newHost(t, map[string]string{"app": "FROM scratch\n"})
	h.image("app").Build.Command = []string{"command"}
	return h
}

const left = "app: its build command left the image"

func TestACommandThatLeavesTheImageOfBeforeIsSaid(t *testing.T) {
	t.Parallel()
	h := commands(t)
	h.names[imageID], h.names[otherID] = imageID, otherID
	leaves := imageID
	h.command = func() { h.names["localhost/app:dev"] = leaves }
	said := func() string {
		h.said.Reset()
		if _, err := h.build(); err != nil {
			t.Fatal(err)
		}
		return h.said.String()
	}
	if got := said(); strings.Contains(got, left) {
		t.Errorf("at first it says %s", got)
	}
	if got := said(); strings.Contains(got, left) {
		t.Errorf("nothing changed, and it says %s", got)
	}
	h.write("app/file", "second")
	if got := said(); !strings.Contains(got, left+" unchanged (sha256:111111111111), although files in") {
		t.Errorf("it does not say so: %s", got)
	}
	if got := said(); strings.Contains(got, left) {
		t.Errorf("it says so twice: %s", got)
	}
	h.write("app/file", "third")
	leaves = otherID
	if got := said(); strings.Contains(got, left) {
		t.Errorf("it is another image, and it says %s", got)
	}
}

func TestACommandThatLeavesAnotherSuitesImageIsSaid(t *testing.T) {
	t.Parallel()
	h := commands(t)
	h.names[imageID] = imageID
	h.command = func() {}
	h.names["localhost/app:dev"] = imageID
	h.suite.Consumer = "other"
	if _, err := h.build(); err != nil {
		t.Fatal(err)
	}
	h.suite.Consumer = "suite"
	// From the same files it is this suite's image as well.
	if _, err := h.build(); err != nil || strings.Contains(h.said.String(), left) {
		t.Errorf("%v; it says %s", err, h.said.String())
	}
	if err := os.Remove(h.suite.LockFile("suite")); err != nil {
		t.Fatal(err)
	}
	h.write("app/file", "second")
	if _, err := h.build(); err != nil || !strings.Contains(h.said.String(), left+" sha256:111111111111, which suite other built from other files") {
		t.Errorf("%v; it says %s", err, h.said.String())
	}
}

// A command knows its image by its name only.
func TestABuildDoesNotTakeTheNameWhileACommandOfAnotherSuiteBuilds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := commands(t)
		byCommand := h.suite
		byCommand.Consumer, byCommand.Images = "other", slices.Clone(h.suite.Images)
		h.image("app").Build = &config.Build{Context: filepath.Join(h.dir, "app")}
		h.names[imageID] = imageID
		begun, ended := make(chan struct{}), make(chan error)
		h.command = func() {
			h.names["localhost/app:dev"] = imageID
			close(begun)
			time.Sleep(time.Second) // in synctest's bubble its clock jumps: nobody waits
		}
		go func() {
			<-begun
			_, err := h.client().Build(t.Context(), BuildInput{Suite: h.suite})
			ended <- err
		}()
		result, err := h.client().Build(t.Context(), BuildInput{Suite: byCommand})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if got := result.Images[0].EngineID; got != imageID {
			t.Errorf("its image is %s, want what its command left", got)
		}
	})
}
