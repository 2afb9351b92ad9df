package e2eimage

import (
	"context"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine/enginetest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
)

// besideCluster runs the engine's own commands there, all others for the cluster.
type besideCluster struct {
	engine  *enginetest.Engine
	cluster *kindnodetest.Cluster
}

func (b besideCluster) Run(ctx context.Context, command hostexec.Command) error {
	if b.engine.Runs(command.Argv) {
		return b.engine.Run(ctx, command)
	}
	return b.cluster.Run(ctx, command)
}

// docker with containerd's store tells its own ID of an image, and not the image ID.
func TestWhichEngineHasTheImageStaysKnownWhenTheTagChanges(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	image := enginetest.NewImage("first")
	b.cluster.Load(source, image.ID())
	docker := enginetest.New(enginetest.DockerContainerd)
	docker.Put(source, image)
	client := b.client()
	client.runner = besideCluster{docker, b.cluster}
	for round := range 3 {
		if _, err := client.Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage"), New: round > 0}); err != nil {
			t.Fatal(err)
		}
		if evidence := b.configMap("suite").Data["datastorage"]; !strings.Contains(evidence, "\nengine: docker\n") {
			t.Fatalf("after round %d the record does not say that docker has it:\n%s", round, evidence)
		}
	}
}
