package images

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

const (
	one, two      = "sha256:1", "sha256:2"
	dev, recorded = "localhost/a:dev", "localhost/a:suite-1"
)

func states() States {
	return States{
		"b": {
			Platform: "linux/arm64", Images: []Image{{ID: one, RepoTags: []string{dev, recorded}}},
			Owners: map[string]string{recorded: "ns.c.a"}, OwnedSince: map[string]time.Time{recorded: time.Unix(7, 0)},
			Containers: []Container{{ID: "c1", Image: recorded, ImageRef: one}, {ID: "c2", Image: dev, ImageRef: one}},
		},
		"a": {Platform: "linux/amd64", Images: []Image{{ID: one, RepoTags: []string{recorded}}, {ID: two, RepoTags: []string{dev}}}},
		"c": {},
	}
}

func TestStatesSayWhichNodesHaveAName(t *testing.T) {
	t.Parallel()
	s := states()
	for name, test := range map[string]struct{ got, want []string }{
		"all nodes":                  {s.Nodes(), []string{"a", "b", "c"}},
		"with a name":                {s.With(dev), []string{"a", "b"}},
		"with an image ID":           {s.With(two), []string{"a"}},
		"having an image by a name":  {s.Having(dev, one), []string{"b"}},
		"lacking an image by a name": {s.Lacking(dev, one), []string{"a", "c"}},
		"image IDs by a name":        {s.IDs(dev), []string{two, one}},
		"image IDs by several names": {s.IDs(recorded, dev), []string{one, two}},
		"all tags":                   {s.Tags(), []string{dev, recorded}},
		"names of an owner":          {s.OwnedBy("ns.c.a"), []string{recorded}},
		"names of nobody":            {s.OwnedBy("ns.c.b"), nil},
		"nodes that cannot run it":   {s.NotWhole(ociimage.Image{ID: one}), []string{"a", "b", "c"}},
	} {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if s.Everywhere(one) || (States{}).Everywhere(one) || !(States{"a": s["a"], "b": s["b"]}).Everywhere(one) {
		t.Error("an image is everywhere where every node has it, and there are nodes")
	}
	if s.Platform() != "linux/amd64" || (States{}).Platform() != "" {
		t.Errorf("platform %s", s.Platform())
	}
}

func TestStatesSayWhoOwnsAndWhatUsesAName(t *testing.T) {
	t.Parallel()
	owned := slices.Collect(states().Owners())
	if diff := cmp.Diff([]Owned{{Node: "b", Name: recorded, Owner: "ns.c.a", Since: time.Unix(7, 0)}}, owned); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var using []string
	for node, container := range states().UsedBy(recorded) {
		using = append(using, node+" "+container.ID)
	}
	if got := strings.Join(using, ", "); got != "b c1" {
		t.Errorf("used by %s", got)
	}
}
