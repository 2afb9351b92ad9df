package e2eimage

import (
	"errors"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

func TestNodesGetNoNameWithADigest(t *testing.T) {
	t.Parallel()
	pinned := "localhost/x:v1@sha256:" + strings.Repeat("a", 64)
	for name, image := range map[string]config.Image{
		"a source":                         {Source: pinned},
		"an external image":                {External: pinned},
		"a source with a prebuilt archive": {Source: pinned, Prebuilt: "docker-archive:" + t.TempDir()},
	} {
		_, err := (&loadRun{image: image}).source(t.Context())
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), "write localhost/x:v1") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhoLoadsWhatIsNotThereHearsHowToGetIt(t *testing.T) {
	t.Parallel()
	const id = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	for source, want := range map[string]string{
		"localhost/x:dev":      "build it: podman build -t localhost/x:dev .",
		"x:dev":                "build it: podman build -t x:dev .",
		"quay.io/team/x:1":     "pull it: podman pull quay.io/team/x:1",
		"localhost:5000/x:dev": "pull it: podman pull localhost:5000/x:dev",
		id:                     "see what there is: podman image ls",
	} {
		loose := &loadRun{image: config.Image{Source: source, Loose: true}}
		if got := loose.toHave(source, "podman"); got != want {
			t.Errorf("%s: %s, want %s", source, got, want)
		}
	}
	for file, want := range map[string]string{"": "\nor say another with --source", "e2eimage.yaml": "\nor correct it in e2eimage.yaml"} {
		named := &loadRun{image: config.Image{Name: "x", Source: "localhost/x:dev"}, in: LoadInput{Suite: config.Suite{File: file}}}
		if got := named.toHave("localhost/x:dev", "podman"); !strings.HasSuffix(got, "."+want) {
			t.Errorf("of a NAME: %s, want %s", got, want)
		}
	}
}
