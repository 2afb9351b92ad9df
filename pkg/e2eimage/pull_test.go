package e2eimage

import (
	"slices"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

const fromRegistry = "registry.example/app:1"

func TestExternalImagesArePulledAsSaid(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		external string
		pull     config.Pull
		has      bool
		want     []string
		fails    string
	}{
		"one that is missing":                 {fromRegistry, "", false, []string{fromRegistry}, ""},
		"one that is there":                   {fromRegistry, "", true, nil, ""},
		"one that is there, always":           {fromRegistry, config.PullAlways, true, []string{fromRegistry}, ""},
		"one that is missing, never":          {fromRegistry, config.PullNever, false, nil, ""},
		"one that the registry does not have": {"registry.example/none:1", config.PullMissing, false, nil, "cannot pull registry.example/none:1: podman pull"},
		"one of this host":                    {"localhost/app:1", config.PullAlways, false, nil, ""},
		"one of a registry on this host":      {"localhost:5000/app:1", "", false, []string{"localhost:5000/app:1"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, nil)
			h.pulls[fromRegistry], h.pulls["localhost:5000/app:1"] = imageID, imageID
			if test.has {
				h.names[test.external], h.names[imageID] = imageID, imageID
			}
			h.suite.Images = []config.Image{{Name: "app", External: test.external, Pull: test.pull}, {Name: "own", Source: fromRegistry}}
			failed := h.client().pullExternal(t.Context(), h.suite, nil)
			if test.fails == "" && len(failed) > 0 || !slices.Equal(h.pulled, test.want) {
				t.Errorf("pulled %q, %v; want %q", h.pulled, failed, test.want)
			}
			if test.fails != "" {
				says(t, failed["app"], test.fails)
				if code := CodeOf(failed["app"]); code != CodeSource {
					t.Errorf("it is %s", code)
				}
			}
		})
	}
}

func TestAPrebuiltImageIsPulledWhereItIsSaid(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		pull     config.Pull
		wanted   config.Prebuilt
		prebuilt string
		adopted  bool
		warns    string
		fails    string
	}{
		"nobody said so":                          {"", config.PrebuiltPrefer, fromRegistry, false, "", ""},
		"missing":                                 {config.PullMissing, config.PrebuiltPrefer, fromRegistry, true, "", ""},
		"missing, and required":                   {config.PullMissing, config.PrebuiltRequire, fromRegistry, true, "", ""},
		"the registry does not have it":           {config.PullMissing, config.PrebuiltPrefer, "registry.example/none:1", false, "app: it is built, since its prebuilt image is not to be had: cannot pull", ""},
		"the registry does not have it, required": {config.PullMissing, config.PrebuiltRequire, "registry.example/none:1", false, "", "its prebuilt image: cannot pull registry.example/none:1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, map[string]string{"app": "FROM scratch\n"})
			h.pulls[fromRegistry] = imageID
			h.suite.Prebuilt, h.image("app").Prebuilt, h.image("app").Pull = test.wanted, test.prebuilt, test.pull
			built, err := h.build()
			if test.fails != "" {
				says(t, err, test.fails)
				return
			}
			if err != nil || (len(built) == 0) != test.adopted {
				t.Fatalf("built %q, %v", built, err)
			}
			if entry := h.lock().Images["app"]; (entry.EngineID == imageID) != test.adopted || !strings.Contains(h.said.String(), test.warns) {
				t.Errorf("the lock has %+v; it says %s", entry, h.said.String())
			}
		})
	}
}
