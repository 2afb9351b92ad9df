package e2eimage

import (
	"errors"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

func TestImagesAreLoadedWhereThereIsNothingButTheCluster(t *testing.T) {
	t.Parallel()
	b, client := loadBench(t)
	client.connect = func(*rest.Config) (kube.API, error) {
		t.Error("an API server was asked for")
		return nil, errors.New("there is none")
	}
	result, err := client.loadImages(t.Context(), []string{"localhost/a:dev", "localhost/c:dev", "localhost/a:dev"})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"localhost/a:dev", "localhost/c:dev", "localhost/a:dev"} {
		if got := result.Images[i]; got.Image != want || len(got.Nodes) != 3 {
			t.Errorf("%+v", got)
		}
	}
	if on := b.imagesOn("dev-worker"); on["localhost/a:dev"] == "" || on["localhost/c:dev"] == "" {
		t.Errorf("a node has %v", on)
	}
	if len(b.cluster.Tags()) > 0 || len(b.records("suite")) > 0 {
		t.Errorf("there are owners %v and records", b.cluster.Tags())
	}
}

func TestImagesThatCannotBeLoadedAreAllSaid(t *testing.T) {
	t.Parallel()
	_, client := loadBench(t)
	_, err := client.loadImages(t.Context(), []string{"localhost/none:dev", "localhost/a:dev", "docker-archive:none.tar"})
	says(t, err, "localhost/none:dev", client.options.Dir+"/none.tar")
	if codes := Errors(err); len(codes) != 2 || codes[0].Code != CodeSource {
		t.Errorf("%v", codes)
	}
	_, err = client.loadImages(t.Context(), nil)
	is[*UsageError](t, err, "say which images")
	_, err = client.loadImages(t.Context(), []string{"not an image"})
	is[*UsageError](t, err, "not an image")
}
