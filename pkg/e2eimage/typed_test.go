package e2eimage

import (
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

func TestSuggestedCommandsAreShort(t *testing.T) {
	t.Parallel()
	made := config.Suite{Consumer: "suite", Namespace: "tests"}
	written := made
	written.Hints = config.Hints{Consumer: "suite", Namespace: "tests"}
	elsewhere := written
	elsewhere.Namespace, elsewhere.Lock, elsewhere.Hints.Flags = "other", "/my locks/x", []string{"--context", "kind-dev"}
	for name, test := range map[string]struct {
		suite config.Suite
		want  string
	}{
		"all has to be typed without a file": {made, "kubectl e2eimage tag a -n tests --consumer suite"},
		"what the file says is left out":     {written, "kubectl e2eimage tag a"},
		"what differs from it is typed":      {elsewhere, "kubectl e2eimage tag a -n other --lock '/my locks/x' --context kind-dev"},
	} {
		if got := typed("tag", "a", test.suite); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestWhatIsNotRecordedIsRecordedByWhatIsSuggested(t *testing.T) {
	t.Parallel()
	image := func(change func(*config.Image)) config.Suite {
		one := config.Image{Name: "a"}
		change(&one)
		return config.Suite{Images: []config.Image{one}, File: "e2eimage.yaml"}
	}
	part := image(func(i *config.Image) { i.Source = "localhost/a:dev" })
	part.Part = true
	for name, test := range map[string]struct {
		suite config.Suite
		want  string
	}{
		"nothing is known of it": {image(func(*config.Image) {}), "kubectl e2eimage tag a --source IMAGE"},
		"it is loaded":           {image(func(i *config.Image) { i.Source = "localhost/a:dev" }), "kubectl e2eimage load && kubectl e2eimage tag"},
		"it is built":            {image(func(i *config.Image) { i.Build = &config.Build{} }), "kubectl e2eimage build && kubectl e2eimage load && kubectl e2eimage tag"},
		"it is one of several":   {part, "kubectl e2eimage load a && kubectl e2eimage tag a"},
	} {
		if got := toRecord(test.suite); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
