package e2eimage

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

// inspecting is podman that has every image, and counts how often it is asked.
type inspecting struct{ asked atomic.Int32 }

func (i *inspecting) Run(_ context.Context, command hostexec.Command) error {
	i.asked.Add(1)
	_, err := fmt.Fprintf(command.Stdout, `[{"Id":%q,"Os":"linux","Architecture":"amd64"}]`, imageID)
	return err
}

func TestAnEngineIsAskedOnceForWhatManyRecordsCameFrom(t *testing.T) {
	t.Parallel()
	podman := &inspecting{}
	engines := (&Client{runner: podman}).newFinder()
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			reference := fmt.Sprintf("localhost/x%d:dev", i%2)
			if found, err := engines.find(t.Context(), "podman", reference); err != nil || found.EngineID != imageID || found.Reference != reference {
				t.Errorf("%s: %+v, %v", reference, found, err)
			}
		})
	}
	all.Wait()
	if got := podman.asked.Load(); got != 2 {
		t.Errorf("of two images podman was asked %d times", got)
	}
}
