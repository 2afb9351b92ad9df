package containerd

import (
	"testing"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func TestTheImageOfAContainerIsItsImageID(t *testing.T) {
	t.Parallel()
	const id, manifest = "sha256:1111", "localhost/app@sha256:2222"
	for name, container := range map[string]*cri.Container{
		"where only imageRef is said":             {ImageRef: id},
		"where only imageId is said":              {ImageId: id},
		"where imageRef has a manifest's digest":  {ImageId: id, ImageRef: manifest},
		"where both are the same":                 {ImageId: id, ImageRef: id},
		"where the spec asked for something else": {ImageRef: id, Image: &cri.ImageSpec{Image: manifest}},
		"where the user asked for something else": {ImageId: id, Image: &cri.ImageSpec{UserSpecifiedImage: manifest}},
	} {
		if got := containerFrom(container).ImageRef; got != id {
			t.Errorf("%s: it is %s, want %s", name, got, id)
		}
	}
	if got := containerFrom(&cri.Container{}).ImageRef; got != "" {
		t.Errorf("where nothing is said: it is %s", got)
	}
}
