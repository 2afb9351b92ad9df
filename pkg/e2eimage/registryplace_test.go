package e2eimage

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine/enginetest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/registry"
)

func TestASuiteHasImagesOnNodesAndInARegistry(t *testing.T) {
	t.Parallel()
	b, r := newBench(t), newRegistryBench(t)
	client := func() *Client {
		client := b.client()
		client.runner = either{r.docker, b.cluster}
		return client
	}
	s := r.suite("suite", "datastorage", "gateway")
	s.Images[0].Registry = config.NoRegistry
	id := r.builds("gateway", "first")
	in := s
	in.Images = s.Images[1:]
	if _, err := client().Load(t.Context(), LoadInput{Suite: in}); err != nil {
		t.Fatal(err)
	}
	tagged, err := client().Tag(t.Context(), TagInput{Suite: s})
	if err != nil {
		t.Fatal(err)
	}
	onNodes, pulled := tagged.Images[0], tagged.Images[1]
	if !strings.HasPrefix(onNodes.Image, "localhost/datastorage:suite-") || len(onNodes.Nodes) != 3 || onNodes.Digest != "" || onNodes.ImageID != imageID {
		t.Errorf("on nodes: %+v", onNodes)
	}
	if !strings.HasPrefix(pulled.Image, r.host+"/team/gateway:suite-") || len(pulled.Nodes) != 0 || pulled.Digest != r.stands(pulled.Image) || pulled.ImageID != id {
		t.Errorf("pulled: %+v", pulled)
	}
	if diff := cmp.Diff(everywhere(onNodes.Image, "tests.suite.datastorage"), b.cluster.Tags()); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	status, err := client().Status(t.Context(), StatusInput{Suite: config.Suite{Consumer: "suite", Freshness: config.FreshnessOff}})
	if err != nil {
		t.Fatal(err)
	}
	for _, image := range status.Images {
		if image.State != StateConsistent || (image.Registry != "") != (image.Name == "gateway") || len(image.NodesWithout) > 0 {
			t.Errorf("%+v", image)
		}
	}
	cleaned, err := client().Clean(t.Context(), CleanInput{Suite: s})
	if err != nil || len(b.records("suite")) > 0 || len(b.cluster.Tags()) > 0 || r.stands(pulled.Image) != "" {
		t.Errorf("%+v, %v, %v", cleaned, err, b.cluster.Tags())
	}
}

func TestImagesOfAKindClusterStayOnItsNodesWhateverItAnnounces(t *testing.T) {
	t.Parallel()
	b, r := newBench(t), newRegistryBench(t)
	r.api = b.api
	r.announces("host: " + r.host + "\n")
	if image := b.tagged("suite"); !strings.HasPrefix(image, "localhost/datastorage:suite-") || len(r.since("")) > 0 {
		t.Errorf("it is %s", image)
	}
	s := suite("suite", "datastorage")
	s.KindCluster = "another"
	_, err := b.client().Tag(t.Context(), TagInput{Suite: s})
	says(t, err, "no Kind cluster", "--registry "+r.host)
}

func TestASharedTagMovesInARegistry(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	tag := func() map[string]TaggedImage {
		s := b.suite("suite", "datastorage", "gateway")
		s.TagGroup = "chart"
		if _, err := b.client().Load(t.Context(), LoadInput{Suite: s}); err != nil {
			t.Fatal(err)
		}
		tagged, err := b.client().Tag(t.Context(), TagInput{Suite: s})
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]TaggedImage{}
		for _, image := range tagged.Images {
			found[image.Name] = image
		}
		return found
	}
	b.builds("datastorage", "first")
	b.builds("gateway", "first gateway")
	first := tag()
	b.builds("datastorage", "second")
	second := tag()
	if second["datastorage"].Image != first["datastorage"].Image || second["datastorage"].Digest == first["datastorage"].Digest ||
		b.stands(second["datastorage"].Image) != second["datastorage"].Digest || second["gateway"].Digest != first["gateway"].Digest {
		t.Errorf("first %+v\nsecond %+v", first, second)
	}
}

func TestPlainHTTPIsNotTakenFromARecord(t *testing.T) {
	t.Parallel()
	in := record.Registry{Pull: "registry.example/team", Push: "http://registry.example/team"}
	choice, err := (&Client{}).choiceOf(&in, nil)
	if err != nil || choice.PlainHTTP || choice.Push != "registry.example/team" {
		t.Errorf("%+v, %v", choice, err)
	}
	said := map[string]registry.Choice{"x": {Push: "registry.example/team", Pull: "registry.example/team", PlainHTTP: true}}
	if choice, err := (&Client{}).choiceOf(&in, said); err != nil || !choice.PlainHTTP {
		t.Errorf("%+v, %v", choice, err)
	}
}

// either runs a command on an engine if that is its own, else on what has the nodes.
type either struct {
	engine *enginetest.Engine
	nodes  hostexec.Runner
}

func (e either) Run(ctx context.Context, command hostexec.Command) error {
	if e.engine.Runs(command.Argv) {
		return e.engine.Run(ctx, command)
	}
	return e.nodes.Run(ctx, command)
}
