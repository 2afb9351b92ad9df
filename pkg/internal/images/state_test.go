package images

import "testing"

func TestAContainerNeedsTheNameThatItWasMadeBy(t *testing.T) {
	t.Parallel()
	const tag, other = "localhost/datastorage:suite-1", "localhost/datastorage:dev"
	state := State{Pods: []string{"pod"}, Images: []Image{{ID: "sha256:1", RepoTags: []string{tag, other}}, {ID: "sha256:2", RepoTags: []string{"localhost/x:1"}}}}
	for name, test := range map[string]struct {
		container Container
		want      bool
	}{
		"by the name":                            {Container{Image: tag, ImageRef: "sha256:1"}, true},
		"by another name of the image":           {Container{Image: other, ImageRef: "sha256:1"}, false},
		"by a name that containerd does not say": {Container{ImageRef: "sha256:1"}, true},
		"of another image, not said":             {Container{ImageRef: "sha256:2"}, false},
		"one that has ended":                     {Container{Image: tag, Exited: true, PodID: "gone"}, false},
		"one that is started again":              {Container{Image: tag, Exited: true, PodID: "pod"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := state.Needs(test.container, tag); got != test.want {
				t.Errorf("it is %t", got)
			}
		})
	}
}
