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
