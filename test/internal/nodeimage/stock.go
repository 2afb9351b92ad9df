package nodeimage

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/kind/pkg/apis/config/defaults"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/steps"
)

const (
	// answerLimit bounds the wait for the registry's answer; the pull itself
	// may take as long as the line is slow.
	answerLimit = 25 * time.Second
	pullLimit   = 15 * time.Minute
)

// stockRuns says whether kind's own image works on this machine: its systemd
// refuses cgroup v1, and its containerd needs CAP_SYS_RESOURCE.
func (b Builder) stockRuns() bool { return !b.Facts.CgroupV1 && b.Facts.SysResource }

// stockReference is kind's default image in the one form that both engines
// understand: fully qualified, and without the tag if there is a digest.
func stockReference() string { return qualify(defaults.Image) }

func qualify(image string) string {
	repository, digest, pinned := strings.Cut(image, "@")
	if pinned {
		repository, _, _ = strings.Cut(repository, ":")
		return "docker.io/" + repository + "@" + digest
	}
	return "docker.io/" + image
}

// pullStock gets kind's image if its registry answers. Every failure means
// "build one", and nothing of it is remembered.
func (b Builder) pullStock(ctx context.Context, engine string) bool {
	reference := stockReference()
	err := steps.Do(ctx, b.Log, "pulling "+reference, func(ctx context.Context) error {
		return pull(ctx, engine, reference, answerLimit)
	})
	if err != nil {
		fmt.Fprintf(b.Log, "it cannot be pulled here, so a node image is built: %v\n", err)
	}
	return err == nil
}

// pull leaves it to the engine to know about mirrors and proxies, and gives up
// when it has not got the manifest within limit.
func pull(ctx context.Context, engine, reference string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, pullLimit)
	defer cancel()
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	silence := time.AfterFunc(limit, func() { giveUp(fmt.Errorf("no answer from the registry within %s", limit)) })
	defer silence.Stop()
	watch := &answer{then: func() { silence.Stop() }}
	return command.Cmd{Argv: []string{engine, "pull", reference}, Watch: watch}.Run(ctx)
}

// answer looks for the line that an engine prints when it has the manifest.
type answer struct {
	then func()
	mu   sync.Mutex
	line []byte
}

// Write implements io.Writer.
func (a *answer) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.line = append(a.line, p...)
	// docker, podman 4 and podman 5 in this order.
	for _, sign := range []string{"Pulling from ", "Getting image source", "Copying "} {
		if bytes.Contains(a.line, []byte(sign)) {
			a.then()
		}
	}
	if i := bytes.LastIndexByte(a.line, '\n'); i >= 0 {
		a.line = append(a.line[:0], a.line[i+1:]...)
	}
	return len(p), nil
}
